/**
 * Why an ENI cannot be had as things are, and what to do about it. Each is the `reason` of a condition and
 * of an Event; the remedy ends their message. Nothing here cures itself by retrying, but each is tried
 * again, with backoff, and is gone as soon as its cause is.
 */
export const REMEDIES = {
  InvalidSpec: 'Correct the NodeENI.',
  SubnetNotFound:
    "Name a subnet that exists in the controller's account and Region (aws ec2 describe-subnets).",
  SubnetNameAmbiguous:
    'Give the subnets different Name tags, or name the one that you mean by its id.',
  NoSubnetInZone:
    "Add a subnet of the node's Availability Zone to the NodeENI, or take the label off the node.",
  SubnetFull: 'Free addresses in the subnet, or name another subnet.',
  SecurityGroupNotFound:
    "Name a security group that exists in the subnet's VPC (aws ec2 describe-security-groups).",
  SecurityGroupVpcMismatch: "Name security groups of the subnet's VPC.",
  SecurityGroupNameAmbiguous:
    'Give the groups different names, or name the one that you mean by its id (spec.securityGroupIDs).',
  TooManySecurityGroups:
    'Name fewer security groups, or have the quota of groups per interface raised.',
  ProviderIDMissing:
    'Wait for the cloud controller to set spec.providerID (aws:///ZONE/INSTANCE), or set it on the kubelet (--provider-id).',
  InstanceNotFound:
    "Check that the Node's spec.providerID names an instance of the controller's account and Region; delete the Node if its instance is gone.",
  InstanceNotAttachable: 'Start the instance, or delete the Node if its instance is gone.',
  InstanceManaged:
    'Exclude such nodes from spec.nodeSelector: EC2 lets no caller change the interfaces of a managed instance.',
  NetworkCardMissing:
    'Set spec.networkCardIndex of the NodeENI to a card that the instance type has.',
  DeviceIndexOutOfRange:
    'Set spec.deviceIndex of the NodeENI to an index that the network card has.',
  SlotTaken:
    'Choose another spec.deviceIndex for the NodeENI, or detach the interface that holds the slot.',
  InstanceFull:
    'Use a larger instance type, ask for fewer ENIs on the node, or detach interfaces that it does not need.',
  InterfaceInUse: 'Detach the ENI from what uses it; it is ours by its tags.',
  InterfaceQuotaReached:
    "Have the Region's quota of network interfaces raised, or delete unused ones.",
  ZoneMismatch: "Name a subnet of the instance's Availability Zone.",
  NotPermitted: 'EC2 does not let anybody do this with that interface: choose another slot.',
  InvalidRequest: 'EC2 refuses the request for what it says: correct the NodeENI accordingly.',
  IdempotencyMismatch:
    'The ENI was asked for before with other settings: delete the ENIAttachment, and it is made anew.',
  DetachmentLate:
    'Wait, stop the instance, or set FORCE_DETACH=true: the slot may then stay unusable until the instance is stopped and started.',
  AccessDenied: "Allow the EC2 action in the IAM policy of the controller's role.",
} as const;

export type BlockedReason = keyof typeof REMEDIES;

/** Those that are a lack of room. */
export const CAPACITY_REASONS: readonly BlockedReason[] = [
  'InstanceFull',
  'SubnetFull',
  'InterfaceQuotaReached',
];

/** What keeps an ENI from being made or attached: a reason for programs, a sentence for people. */
export interface Blocked {
  reason: BlockedReason;
  message: string;
}

/** `fact` is a sentence without its full stop; the reason's remedy follows it. */
export function blocked(reason: BlockedReason, fact: string): Blocked {
  return { reason, message: `${fact}. ${REMEDIES[reason]}` };
}

/** Why a NetworkAttachmentDefinition cannot be had in a namespace, and what to do about it. */
export const NETWORK_ATTACHMENT_REMEDIES = {
  CRDMissing:
    'Install Multus, or at least its CRD network-attachment-definitions.k8s.cni.cncf.io; or take spec.networkAttachment out.',
  Conflict:
    'Rename or delete that NetworkAttachmentDefinition, or take the namespace out of spec.networkAttachment.namespaces.',
  NamespaceMissing: 'Create the namespace, or take it out of spec.networkAttachment.namespaces.',
  Refused:
    "Correct what the API server names; where it says forbidden, see the controller's ClusterRole.",
} as const;

export type NetworkAttachmentReason = keyof typeof NETWORK_ATTACHMENT_REMEDIES;
