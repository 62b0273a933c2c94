import {
  apiVersionOf,
  type KubeObject,
  type OwnerReference,
  type ResourceType,
} from './resource.js';

/**
 * The reference of an object to the one that controls it: the garbage collector deletes the object after
 * its owner. `owner` is cluster-scoped or in the object's namespace (a Kubernetes rule).
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

/** The owner that controls the object, if any. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find(({ controller }) => controller === true);
}
