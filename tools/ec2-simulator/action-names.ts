/** Every action that the simulator knows, by EC2's name. */
export const ACTION_NAMES = [
  'AssignIpv6Addresses',
  'AssignPrivateIpAddresses',
  'AssociateAddress',
  'AttachNetworkInterface',
  'CreateNetworkInterface',
  'CreateTags',
  'DeleteNetworkInterface',
  'DeleteTags',
  'DescribeAddresses',
  'DescribeAvailabilityZones',
  'DescribeInstances',
  'DescribeInstanceTypes',
  'DescribeNetworkInterfaces',
  'DescribeSecurityGroups',
  'DescribeSecurityGroupVpcAssociations',
  'DescribeSubnets',
  'DescribeVpcs',
  'DetachNetworkInterface',
  'DisassociateAddress',
  'ModifyNetworkInterfaceAttribute',
  'UnassignIpv6Addresses',
  'UnassignPrivateIpAddresses',
] as const;

export type ActionName = (typeof ACTION_NAMES)[number];
