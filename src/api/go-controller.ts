import { API_GROUP } from './names.js';

/**
 * What aws-multi-eni-controller (the Go controller, to v1.3.8) leaves on objects and ENIs: it has the same kind in the
 * same API group.
 */
export const GO_CONTROLLER = {
  finalizer: 'nodeeni.networking.k8s.aws/finalizer',
  /** Annotation of a NodeENI whose ENIs it was deleting. */
  cleanupAnnotation: 'aws-multi-eni-controller/cleanup-start-time',
  /** Name of its Lease, in whatever namespace it runs. */
  lease: 'nodeeni-controller-leader-election',
  managerName: 'nodeeni-controller',
} as const;

/** Tags that the Go controller sets on its ENIs. */
export const GO_TAGS = {
  managedBy: 'kubernetes.io/cluster/managed-by',
  nodeENI: 'NodeENI',
  node: 'Node',
} as const;

/**
 * Annotation of an ENIAttachment: id of the ENI that it was created for. The attachment creates no other ENI
 * before that one is lost.
 */
export const ADOPTED_ENI_ANNOTATION = `${API_GROUP}/adopted-eni`;

/** Annotation of a NodeENI, set by users: ids of ENIs (with commas between them) that the operator lets go. */
export const LEAVE_ENIS_ANNOTATION = `${API_GROUP}/leave-enis`;

/** Annotation of a NodeENI, set to `true` by users: ignore its fields for DPDK. */
export const IGNORE_DPDK_ANNOTATION = `${API_GROUP}/ignore-dpdk`;
