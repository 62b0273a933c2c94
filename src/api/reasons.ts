import type { Explanation } from '../runtime/kube/conditions.js';

/**
 * Why an ENI cannot be created or attached, and the remedy. The key is the `reason` of a condition and of an
 * Event; the remedy ends their message. A retry alone does not help, but the controller retries with backoff,
 * so that the reason disappears soon after its cause.
 */
export const REMEDIES = {
  InvalidSpec: 'Fix the NodeENI.',
  SubnetNotFound:
    "Name a subnet that exists in the controller's account and Region (aws ec2 describe-subnets lists them).",
  SubnetNameAmbiguous:
    'Give the subnets different Name tags, or name one by its ID (spec.subnetID or spec.subnetIDs).',
  NoSubnetInZone:
    "Add a subnet in the node's Availability Zone to the NodeENI, or remove the label from the node.",
  SubnetNameNotInZone:
    'Add a subnet with that Name tag in the zone. If the names are alternatives, give one subnet in each zone the same name, and use spec.subnetName.',
  SubnetFull: 'Free IP addresses in the subnet, or use another subnet.',
  InsufficientCidrBlocks:
    'Reserve room for prefixes in the subnet (aws ec2 create-subnet-cidr-reservation --reservation-type prefix), use another subnet, or set spec.ipv4.secondaryAddresses instead of prefixes.',
  AddressPoolExhausted:
    'Add free addresses of the subnet to spec.ipv4.primary.fromPool, or remove the label from nodes that do not need the ENI. The first four addresses of a subnet and its last do not count.',
  AddressTaken:
    'The controller uses another address of the pool, if one is free. Reserve the pool, so that EC2 assigns its addresses to nothing else (aws ec2 create-subnet-cidr-reservation --reservation-type explicit), or remove the address from spec.ipv4.primary.fromPool.',
  SubnetIPv6Only: 'Use a subnet with an IPv4 CIDR block, or remove spec.ipv4.primary.',
  SecurityGroupNotFound:
    "Name a security group that exists in the subnet's VPC (aws ec2 describe-security-groups lists them).",
  SecurityGroupVpcMismatch:
    "Use security groups that belong to the subnet's VPC or are associated with it.",
  SecurityGroupNameAmbiguous:
    'Give the groups different names, or name one by its ID (spec.securityGroupIDs).',
  TooManySecurityGroups:
    'Name fewer security groups, or request a higher quota for security groups per network interface.',
  ProviderIDMissing:
    'Wait for the cloud controller to set spec.providerID (aws:///ZONE/INSTANCE), or set it on the kubelet (--provider-id).',
  ProviderIDAmbiguous:
    'Find out which Node runs on the instance, and delete the others (kubectl get nodes -o custom-columns=NAME:.metadata.name,ID:.spec.providerID).',
  InstanceNotFound:
    "Check that the Node's spec.providerID names an instance in the controller's account and Region; delete the Node if its instance no longer exists.",
  InstanceNotAttachable: 'Start the instance, or delete the Node if its instance no longer exists.',
  InstanceManaged:
    'Exclude such nodes from spec.nodeSelector: EC2 does not allow changes to the interfaces of a managed instance.',
  NetworkCardMissing:
    'Set spec.networkCardIndex of the NodeENI to a network card that the instance type has.',
  DeviceIndexOutOfRange:
    'Set spec.deviceIndex of the NodeENI to an index that the network card has.',
  AddressLimitExceeded:
    'Ask for fewer addresses or prefixes in spec.ipv4 and spec.ipv6, or use a larger instance type (aws ec2 describe-instance-types shows Ipv4AddressesPerInterface).',
  PrefixesUnsupported:
    'Use instance types of the Nitro System, or set spec.ipv4.secondaryAddresses instead of prefixes.',
  ENAExpressUnsupported:
    'Remove spec.enaExpress, or use instance types that support ENA Express (aws ec2 describe-instance-types --filters Name=network-info.ena-srd-supported,Values=true).',
  ElasticIPUnavailable:
    'Allocate or free an Elastic IP address that spec.elasticIP selects (aws ec2 describe-addresses lists them), or change spec.elasticIP. Meanwhile, the ENI stays attached without one.',
  InternetGatewayMissing:
    "Attach an internet gateway to the subnet's VPC, or remove spec.elasticIP. Meanwhile, the ENI stays attached without a public address.",
  NotManaged:
    'Delete the ENIAttachment: ENIAttachments are not made by hand. Create a NodeENI for the nodes that need the ENI.',
  SlotTaken:
    'Choose another spec.deviceIndex for the NodeENI, or detach the interface that holds the slot.',
  InstanceFull:
    'Use a larger instance type, request fewer ENIs on the node, or detach interfaces that the node does not need.',
  InterfaceInUse: 'Detach the ENI from what uses it: its tags mark it as managed by this operator.',
  InterfaceQuotaReached:
    'Request a higher quota for network interfaces in the Region, or delete unused interfaces.',
  ZoneMismatch: "Use a subnet in the instance's Availability Zone.",
  NotPermitted: 'EC2 does not allow this operation on that interface: use another device index.',
  InvalidRequest: 'EC2 rejected the request as invalid: fix the NodeENI.',
  IdempotencyMismatch:
    'The client token was already used with other parameters: delete the ENIAttachment, and the controller recreates it.',
  AddressesInUse:
    'Delete the pods of the node that use the network (kubectl get pods -A --field-selector spec.nodeName=NODE), or the Node if it no longer runs.',
  DetachmentLate:
    'Wait, stop the instance, or set FORCE_DETACH=true. After a forced detachment, the device index can stay unusable until you stop and start the instance.',
  WriteRefused:
    "Fix what the API server reports: an admission policy, a webhook or a quota; if it says forbidden, check the controller's ClusterRole.",
  OtherControllerRunning:
    'Scale the Deployment of aws-multi-eni-controller to 0, or stop this operator: two controllers of one kind double or delete ENIs (docs/migrating.md).',
  AdoptionPending:
    'The condition Adopted of the NodeENI says what to do about that ENI. The node gets no second ENI in its place meanwhile.',
  AccessDenied: "Allow the EC2 action in the IAM policy of the controller's role.",
  CredentialsUnavailable:
    'Give the controller AWS credentials: associate a role with its service account (EKS Pod Identity, or IRSA with the annotation eks.amazonaws.com/role-arn and a trust policy for the service account), or use an instance profile that pods can reach.',
} as const;

export type BlockedReason = keyof typeof REMEDIES;

/** The reasons that set the NodeENI's condition CapacityExceeded. */
export const CAPACITY_REASONS: readonly BlockedReason[] = [
  'InstanceFull',
  'SubnetFull',
  'AddressPoolExhausted',
  'InsufficientCidrBlocks',
  'AddressLimitExceeded',
  'InterfaceQuotaReached',
  'ElasticIPUnavailable',
];

/** What prevents an ENI from being created or attached: a reason for programs, a message for people. */
export type Blocked = Explanation<BlockedReason>;

/** `fact` is a sentence without its full stop; the reason's remedy follows it. */
export function blocked(reason: BlockedReason, fact: string): Blocked {
  return { reason, message: `${fact}. ${REMEDIES[reason]}` };
}

/** Why an ENI that the Go controller listed is not adopted, and the remedy. */
export const ADOPTION_REMEDIES = {
  WaitingForAdoption: 'The controller retries by itself.',
  OtherControllerRunning: REMEDIES.OtherControllerRunning,
  NotAttached: 'Attach it again, or delete it if nothing needs it; the node then gets an ENI.',
  AttachedElsewhere: 'Detach it from that instance, or delete it if nothing needs it.',
  TagsDiffer:
    "Correct its tags NodeENI, Node and kubernetes.io/cluster/managed-by if the ENI is this NodeENI's.",
  OtherCluster: 'Leave it to that cluster.',
  ManagedByService: 'Leave it to that service.',
  SubnetNotAsked: 'Add its subnet to the NodeENI, or delete the ENI if nothing needs it.',
  SecondInSubnet:
    'A node has one ENI of a NodeENI in each subnet: detach and delete the one that nothing needs.',
  OwnedByAttachment: 'That ENIAttachment is its record.',
  AttachmentExists:
    'Delete that ENIAttachment if it has no ENI; the controller then adopts this one.',
  WriteRefused: REMEDIES.WriteRefused,
} as const;

export type AdoptionReason = keyof typeof ADOPTION_REMEDIES;

/** Why the controller cannot keep a NetworkAttachmentDefinition in a namespace, and the remedy. */
export const NETWORK_ATTACHMENT_REMEDIES = {
  CRDMissing:
    'Install Multus, or at least its CRD network-attachment-definitions.k8s.cni.cncf.io; or remove spec.networkAttachment.',
  Conflict:
    'Rename or delete that NetworkAttachmentDefinition, or remove the namespace from spec.networkAttachment.namespaces.',
  ComponentMissing:
    'Deploy the component multus (kustomize/components/multus, or multus.enabled in the Helm chart), or remove spec.networkAttachment.',
  NamespaceNotAllowed:
    'Allow it with kubectl label namespace NAME networking.k8s.aws/network-attachments=allowed, or remove the namespace from spec.networkAttachment.namespaces.',
  NamespaceMissing: 'Create the namespace, or remove it from spec.networkAttachment.namespaces.',
  Refused:
    "Fix what the API server reports; if it says forbidden, check the controller's ClusterRole.",
} as const;

export type NetworkAttachmentReason = keyof typeof NETWORK_ATTACHMENT_REMEDIES;
