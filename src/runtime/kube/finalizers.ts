import type { Patch } from './kube-client.js';
import {
  apiVersionOf,
  type KubeObject,
  type OwnerReference,
  type ResourceType,
} from './resource.js';

export function hasFinalizer(object: KubeObject, finalizer: string): boolean {
  return object.metadata.finalizers?.includes(finalizer) ?? false;
}

/**
 * The patch that adds a finalizer; undefined if the object has it. A merge patch replaces the whole list, so
 * it carries the resourceVersion: on a changed object it fails with 409, instead of dropping another
 * finalizer.
 */
export function withFinalizer(object: KubeObject, finalizer: string): Patch | undefined {
  if (hasFinalizer(object, finalizer)) return undefined;
  return finalizersPatch(object, [...(object.metadata.finalizers ?? []), finalizer]);
}

/** The patch that removes a finalizer, with 409 on a changed object; undefined if the object lacks it. */
export function withoutFinalizer(object: KubeObject, finalizer: string): Patch | undefined {
  if (!hasFinalizer(object, finalizer)) return undefined;
  const others = object.metadata.finalizers?.filter((other) => other !== finalizer) ?? [];
  return finalizersPatch(object, others);
}

function finalizersPatch({ metadata }: KubeObject, finalizers: string[]): Patch {
  // The uid protects a successor of the same name.
  const { uid, resourceVersion } = metadata;
  return { type: 'merge', body: { metadata: { uid, resourceVersion, finalizers } } };
}

/**
 * The owner reference to an object's controller: the garbage collector deletes the object after its owner.
 * `owner` is cluster-scoped or in the object's namespace (a Kubernetes rule).
 */
export function ownerReferenceTo(owner: KubeObject, resource: ResourceType): OwnerReference {
  return {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}
