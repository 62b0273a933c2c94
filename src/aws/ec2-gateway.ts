/** A subnet, as far as placing an ENI needs it. */
export interface Subnet {
  id: string;
  /** The `Name` tag, where it has one. */
  name?: string;
  vpcId: string;
  /** Availability Zone name, e.g. `us-west-2a`. */
  zone: string;
  /** IPv4 CIDR block; absent on IPv6-only subnets. */
  cidr?: string;
  /** IPv6 addresses alone: EC2 then counts no free addresses. */
  ipv6Native?: boolean;
  /** Free IPv4 addresses; absent on IPv6-only subnets. */
  availableAddresses?: number;
}

export interface SecurityGroup {
  id: string;
  name: string;
  vpcId: string;
  /** The account that it belongs to: a shared VPC shows the groups of several. */
  ownerId?: string;
}

/** The states that EC2 documents, and any that it may add. */
export type InstanceState =
  | 'pending'
  | 'running'
  | 'shutting-down'
  | 'terminated'
  | 'stopping'
  | 'stopped'
  | (string & {});

/** One occupied slot of an instance. */
export interface InstanceInterface {
  eniId: string;
  deviceIndex: number;
  networkCardIndex: number;
}

export interface Instance {
  id: string;
  type: string;
  state: InstanceState;
  zone: string;
  vpcId?: string;
  /** The account that it runs in. */
  ownerId?: string;
  /** A service manages it (EKS Auto Mode): EC2 lets no caller change its interfaces. */
  managed?: boolean;
  interfaces: InstanceInterface[];
}

/** What an instance type can carry (DescribeInstanceTypes, `NetworkInfo`). */
export interface InstanceTypeLimits {
  type: string;
  maximumInterfaces: number;
  cards: { networkCardIndex: number; maximumInterfaces: number }[];
}

export type EniStatus =
  | 'pending'
  | 'available'
  | 'associated'
  | 'attaching'
  | 'in-use'
  | 'detaching'
  | (string & {});

export type AttachmentStatus = 'attaching' | 'attached' | 'detaching' | 'detached' | (string & {});

export interface EniAttachmentState {
  attachmentId: string;
  instanceId: string;
  deviceIndex: number;
  networkCardIndex: number;
  status: AttachmentStatus;
  deleteOnTermination: boolean;
}

/** An elastic network interface as EC2 tells it; every read may be stale. */
export interface Eni {
  id: string;
  status: EniStatus;
  subnetId: string;
  vpcId: string;
  zone: string;
  description: string;
  macAddress?: string;
  privateIpAddress?: string;
  /** All private IPv4 addresses, the primary first. */
  privateIpAddresses: string[];
  ipv6Addresses: string[];
  /** Sorted: EC2's order means nothing. */
  securityGroupIds: string[];
  tags: Readonly<Record<string, string>>;
  /** Absent where the ENI is free, and for a while after an attach. */
  attachment?: EniAttachmentState;
  requesterManaged: boolean;
}

export interface CreateEniRequest {
  /** Stable identity of the intent (at most 64 ASCII characters): the same token gives the same ENI. */
  clientToken: string;
  subnetId: string;
  securityGroupIds: string[];
  description?: string;
  /** How many IPv6 addresses; absent: what the subnet gives by itself. */
  ipv6AddressCount?: number;
  tags: Readonly<Record<string, string>>;
}

export interface AttachEniRequest {
  eniId: string;
  instanceId: string;
  deviceIndex: number;
  networkCardIndex: number;
}

/** Subnets by id, or by their `Name` tag. */
export type SubnetQuery = { ids: readonly string[] } | { names: readonly string[] };

/** Groups by id, or by group name within one VPC. */
export type SecurityGroupQuery =
  | { ids: readonly string[] }
  | { names: readonly string[]; vpcId: string };

/** ENIs that carry all of these tags, each with the value given or with one of the values given. */
export interface EniFilter {
  tags: Readonly<Record<string, string | readonly string[]>>;
}

/**
 * Every EC2 call that we make, in the domain's terms. What EC2 does not know is absent from the answer of
 * a read, never an error. Failures are {@link Ec2Error}s. No call is retried beneath this interface.
 */
export interface Ec2Gateway {
  /**
   * The same gateway, for calls that one owner asks for: where calls have to wait, owners take turns.
   * @param wanted asked at a call's turn: one that is no longer wanted is not sent, and fails with
   * {@link NotWantedError}
   */
  forOwner(owner: string, wanted?: () => boolean): Ec2Gateway;

  describeSubnets(query: SubnetQuery): Promise<Subnet[]>;
  describeSecurityGroups(query: SecurityGroupQuery): Promise<SecurityGroup[]>;
  /** Ids of the groups of other VPCs that are associated with `vpcId` (AssociateSecurityGroupVpc). */
  describeAssociatedGroups(vpcId: string): Promise<string[]>;
  /** Any number of ids; more than EC2 takes in a call are split. */
  describeInstances(ids: readonly string[]): Promise<Instance[]>;
  describeInstanceTypes(types: readonly string[]): Promise<InstanceTypeLimits[]>;
  /** Any number of ids; more than EC2 takes in a call are split. */
  describeEnis(ids: readonly string[]): Promise<Eni[]>;
  /** A paged listing of all ENIs that match; more values of a tag than EC2 takes in a call are split. */
  listEnis(filter: EniFilter): Promise<Eni[]>;

  /** @throws {@link UserError} before any call where the security group list is empty: EC2 refuses it. */
  createEni(request: CreateEniRequest): Promise<Eni>;
  /** Starts the attachment; EC2 finishes it later. */
  attachEni(request: AttachEniRequest): Promise<{ attachmentId: string }>;
  setDeleteOnTermination(eniId: string, attachmentId: string, value: boolean): Promise<void>;
  /** @throws {@link UserError} before any call where the security group list is empty: EC2 refuses it. */
  setSecurityGroups(eniId: string, securityGroupIds: readonly string[]): Promise<void>;
  setDescription(eniId: string, description: string): Promise<void>;
  setTags(eniId: string, tags: Readonly<Record<string, string>>): Promise<void>;
  removeTags(eniId: string, keys: readonly string[]): Promise<void>;
  /** Starts the detachment; EC2 finishes it later. */
  detachEni(attachmentId: string, options?: { force?: boolean }): Promise<void>;
  deleteEni(eniId: string): Promise<void>;
}
