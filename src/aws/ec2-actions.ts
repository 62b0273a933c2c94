import type { RateLimit } from '../runtime/concurrency/token-bucket.js';

const PAGED_DESCRIBE: RateLimit = { capacity: 100, refillPerSecond: 20 };
const UNPAGED_DESCRIBE: RateLimit = { capacity: 50, refillPerSecond: 10 };
const MUTATING: RateLimit = { capacity: 50, refillPerSecond: 5 };
const INTERFACE_WRITE: RateLimit = { capacity: 100, refillPerSecond: 5 };
const TAG_WRITE: RateLimit = { capacity: 100, refillPerSecond: 10 };

/**
 * EC2's documented request rates per account and Region, one token bucket per action.
 * Source: Amazon EC2 Developer Guide, "Request throttling for the Amazon EC2 API", tables "Bucket sizes and
 * refill rates". `…:unfiltered` is a describe without filter and page size, which has a smaller bucket.
 */
export const DOCUMENTED_LIMITS = {
  // Without pages: not among the actions with a smaller bucket for reads without filter and page size.
  DescribeAddresses: PAGED_DESCRIBE,
  DescribeSubnets: PAGED_DESCRIBE,
  DescribeSecurityGroups: PAGED_DESCRIBE,
  DescribeSecurityGroupVpcAssociations: PAGED_DESCRIBE,
  DescribeInstances: PAGED_DESCRIBE,
  DescribeInstanceTypes: PAGED_DESCRIBE,
  DescribeNetworkInterfaces: PAGED_DESCRIBE,
  'DescribeSecurityGroups:unfiltered': UNPAGED_DESCRIBE,
  'DescribeInstances:unfiltered': UNPAGED_DESCRIBE,
  'DescribeNetworkInterfaces:unfiltered': UNPAGED_DESCRIBE,
  AssociateAddress: MUTATING,
  DisassociateAddress: MUTATING,
  AttachNetworkInterface: MUTATING,
  DetachNetworkInterface: MUTATING,
  CreateNetworkInterface: INTERFACE_WRITE,
  DeleteNetworkInterface: INTERFACE_WRITE,
  ModifyNetworkInterfaceAttribute: INTERFACE_WRITE,
  AssignPrivateIpAddresses: INTERFACE_WRITE,
  AssignIpv6Addresses: INTERFACE_WRITE,
  UnassignPrivateIpAddresses: MUTATING,
  UnassignIpv6Addresses: MUTATING,
  CreateTags: TAG_WRITE,
  DeleteTags: TAG_WRITE,
} as const satisfies Record<string, RateLimit>;

/** The EC2 actions by which the operator changes something. */
export type WriteAction =
  | 'AttachNetworkInterface'
  | 'CreateNetworkInterface'
  | 'CreateTags'
  | 'DeleteNetworkInterface'
  | 'DeleteTags'
  | 'DetachNetworkInterface'
  | 'ModifyNetworkInterfaceAttribute';

/** The EC2 actions that have a budget. */
export type Ec2Action = keyof typeof DOCUMENTED_LIMITS;
