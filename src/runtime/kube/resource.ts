/** The part of `metadata` that the runtime and reconcilers read. */
export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  finalizers?: string[];
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** Any object that the API server stores, as plain JSON. */
export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

/** Where a kind's objects are on the API server. */
export interface ResourceType {
  /** API group; empty for the core group. */
  group: string;
  version: string;
  /** Lower-case plural, as in the URL. */
  plural: string;
  kind: string;
  namespaced: boolean;
}

/**
 * A class that stands for a kind: decorators refer to it (`@Reconciler({ for: NodeENI })`), and the operator
 * finds the resource through its static member. Objects themselves are plain JSON.
 */
export interface KindClass<T extends KubeObject = KubeObject> {
  readonly name: string;
  readonly resource: ResourceType;
  readonly prototype: T;
}

/** `apiVersion` of a resource: `v1`, `apps/v1`. */
export function apiVersionOf(resource: ResourceType): string {
  return resource.group ? `${resource.group}/${resource.version}` : resource.version;
}

/** The key of an object in stores and work queues: `name`, or `namespace/name`. */
export function keyOf(object: KubeObject): string {
  const { name, namespace } = object.metadata;
  return namespace ? `${namespace}/${name}` : name;
}
