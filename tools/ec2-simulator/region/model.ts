import type { ActionName } from '../action-names.js';

export type Tags = Readonly<Record<string, string>>;

export interface Vpc {
  readonly id: string;
  /** Whether an internet gateway is attached, which Elastic IP addresses need. */
  readonly internetGateway: boolean;
  readonly cidr: string;
  readonly tags: Tags;
}

export interface Subnet {
  readonly id: string;
  readonly vpcId: string;
  readonly zone: string;
  /** Absent on IPv6-only subnets. */
  readonly cidr?: string;
  readonly ipv6Native?: boolean;
  readonly assignIpv6AddressOnCreation?: boolean;
  /** The account that it belongs to, where that is not the simulator's. */
  readonly ownerId?: string;
  /** A /64, where the subnet has IPv6. */
  readonly ipv6Cidr?: string;
  readonly tags: Tags;
}

export interface SecurityGroup {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly vpcId: string;
  /** The account that it belongs to, where that is not the simulator's. */
  readonly ownerId?: string;
  readonly associatedVpcIds?: readonly string[];
  readonly tags: Tags;
}

export const INSTANCE_STATES = [
  'pending',
  'running',
  'stopping',
  'stopped',
  'shutting-down',
  'terminated',
] as const;
export type InstanceState = (typeof INSTANCE_STATES)[number];

export interface Instance {
  readonly id: string;
  /** Creation order; pages go by it. */
  readonly sequence: number;
  readonly type: string;
  readonly state: InstanceState;
  readonly zone: string;
  readonly subnetId: string;
  readonly vpcId: string;
  readonly privateIpAddress: string;
  readonly privateDnsName: string;
  /** Milliseconds since the epoch. */
  readonly launchTime: number;
  /** A service manages it (EKS Auto Mode). */
  readonly managed: boolean;
  readonly tags: Tags;
}

export interface Attachment {
  /** `eni-attach-…`; `ela-attach-…` where an AWS service manages it. */
  readonly id: string;
  /** Absent where an AWS service holds the ENI. */
  readonly instanceId?: string;
  readonly deviceIndex: number;
  readonly networkCardIndex: number;
  readonly status: 'attaching' | 'attached' | 'detaching';
  readonly deleteOnTermination: boolean;
  /** Milliseconds since the epoch. */
  readonly attachTime: number;
  readonly enaExpress?: EnaExpress;
}

export interface EnaExpress {
  readonly enabled: boolean;
  readonly udp: boolean;
}

/** Seconds. */
export interface ConnectionTracking {
  readonly tcpEstablishedTimeout?: number;
  readonly udpStreamTimeout?: number;
  readonly udpTimeout?: number;
}

/** An Elastic IP address of the account. Which ENI has it, the ENI says. */
export interface ElasticIp {
  /** `eipalloc-…` */
  readonly id: string;
  /** Creation order. */
  readonly sequence: number;
  readonly publicIp: string;
  /** `amazon`, or a pool of the account. */
  readonly pool: string;
  readonly tags: Tags;
}

/** An Elastic IP address at a private address of an ENI. */
export interface Association {
  /** `eipassoc-…` */
  readonly id: string;
  readonly allocationId: string;
  readonly publicIp: string;
  readonly privateIpAddress: string;
}

/** An ENI at one moment. Never changed in place: a change is a new object, so that lagging reads can return the old one. */
export interface Eni {
  readonly id: string;
  /** Creation order; pages go by it. */
  readonly sequence: number;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly subnetId: string;
  readonly vpcId: string;
  readonly zone: string;
  readonly description: string;
  readonly interfaceType: string;
  readonly macAddress: string;
  /** The primary address first. */
  readonly privateIpAddresses: readonly string[];
  readonly ipv4Prefixes: readonly string[];
  readonly ipv6Addresses: readonly string[];
  /** Each a /80. */
  readonly ipv6Prefixes: readonly string[];
  /** Whether the first IPv6 address is the primary one. */
  readonly primaryIpv6: boolean;
  readonly groupIds: readonly string[];
  readonly sourceDestCheck: boolean;
  readonly connectionTracking: ConnectionTracking;
  readonly requesterManaged: boolean;
  readonly tags: Tags;
  /** One for each private address at most. */
  readonly associations: readonly Association[];
  readonly attachment?: Attachment;
}

/**
 * The ENI's own status, apart from its attachment's. An ENI that is attaching or detaching is `in-use`, as
 * in the answers that EC2's documentation of RunInstances shows.
 */
export function statusOf(eni: Eni): 'available' | 'in-use' {
  return eni.attachment ? 'in-use' : 'available';
}

/** One answered call. */
export interface Call {
  /** Milliseconds since the epoch, at arrival. */
  readonly at: number;
  readonly action: ActionName | (string & {});
  /** `ok`, `lost` (the connection was cut), or EC2's error code. */
  readonly outcome: string;
}
