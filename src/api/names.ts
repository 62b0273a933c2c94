/** API group of both kinds. */
export const API_GROUP = 'networking.k8s.aws';
export const API_VERSION = 'v1alpha1';

/** Keeps a NodeENI until its last ENIAttachment is gone. */
export const NODE_ENI_FINALIZER = `${API_GROUP}/node-eni`;
/**
 * Keeps a NodeENI until its last NetworkAttachmentDefinition is gone. It is set before the first one is
 * created.
 */
export const NETWORK_ATTACHMENT_FINALIZER = `${API_GROUP}/network-attachment`;
/** Keeps an ENIAttachment until EC2 reports that its ENI is deleted. */
export const ENI_FINALIZER = `${API_GROUP}/eni`;

/** Labels that the operator sets on ENIAttachments, and well-known ones of Nodes that it reads. */
export const LABELS = {
  nodeENI: `${API_GROUP}/node-eni`,
  managedBy: 'app.kubernetes.io/managed-by',
  zone: 'topology.kubernetes.io/zone',
  region: 'topology.kubernetes.io/region',
  instanceType: 'node.kubernetes.io/instance-type',
} as const;

/** Label of a Namespace, and its value, by which it allows NetworkAttachmentDefinitions of this operator. */
export const NETWORK_ATTACHMENTS_LABEL = `${API_GROUP}/network-attachments`;
export const NETWORK_ATTACHMENTS_ALLOWED = 'allowed';

/** Annotation of a Node: how many of its network interfaces are reserved for other software. */
export const RESERVED_INTERFACES_ANNOTATION = `${API_GROUP}/reserved-interfaces`;

/** `app.kubernetes.io/managed-by`, the controller of events, and the owner tag of every ENI. */
export const MANAGER_NAME = 'eni-operator';

/** Taint that nodes register with (kubelet's `--register-with-taints`) to get no pods before their ENIs. */
export const DEFAULT_STARTUP_TAINT = `${API_GROUP}/eni-not-ready:NoSchedule`;

/** Tags of an ENI. All except `retained` are set by its Create call. */
export const TAGS = {
  /** UID of the ENIAttachment: the identity of the ENI, and its ClientToken. */
  attachmentUID: `${API_GROUP}/attachment-uid`,
  /** Identity of the cluster: UID of the `kube-system` namespace, unless configured. */
  clusterID: `${API_GROUP}/cluster-id`,
  nodeENI: `${API_GROUP}/node-eni`,
  node: `${API_GROUP}/node`,
  managedBy: `${API_GROUP}/managed-by`,
  /** Makes the VPC CNI ignore the ENI; the CNI manages untagged secondary ENIs. */
  noManage: 'node.k8s.amazonaws.com/no_manage',
  /**
   * The NodeENI that an ENI is kept for (`reclaimPolicy: Retain`). With any value, also if set by hand, it
   * protects an ENI without an ENIAttachment from cleanup.
   */
  retained: `${API_GROUP}/retained`,
  name: 'Name',
} as const;
