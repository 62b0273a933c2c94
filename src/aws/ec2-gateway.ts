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
  /** IPv6 only: EC2 then does not count free addresses. */
  ipv6Native?: boolean;
  /** Free IPv4 addresses; absent on IPv6-only subnets. */
  availableAddresses?: number;
}

export interface SecurityGroup {
  id: string;
  name: string;
  vpcId: string;
  /** The account that owns it: a shared VPC shows the groups of several accounts. */
  ownerId?: string;
}

/** The states that EC2 documents, and any that it adds. */
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
  /** The account that owns it. */
  ownerId?: string;
  /** A service manages it (EKS Auto Mode): EC2 lets no caller change its interfaces. */
  managed?: boolean;
  interfaces: InstanceInterface[];
}

/** How many interfaces an instance type supports (DescribeInstanceTypes, `NetworkInfo`). */
export interface InstanceTypeLimits {
  type: string;
  maximumInterfaces: number;
  cards: { networkCardIndex: number; maximumInterfaces: number }[];
  /** Whether ENA Express works on it; absent where EC2 does not say. */
  enaExpress?: boolean;
  /** Of one interface, each prefix counts as one; absent where EC2 does not say. */
  ipv4Addresses?: number;
  ipv6Addresses?: number;
  /** Whether it is a Nitro type, which prefixes need; absent where EC2 does not say. */
  nitro?: boolean;
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
  enaExpress?: EnaExpress;
}

export interface EnaExpress {
  enabled: boolean;
  udp: boolean;
}

/** Seconds; a field that is absent keeps EC2's value. */
export interface ConnectionTracking {
  tcpEstablishedTimeout?: number;
  udpStreamTimeout?: number;
  udpTimeout?: number;
}

/** The public IPv4 address of a private address. */
export interface PublicAddress {
  publicIp: string;
  /** Of an Elastic IP address; absent if AWS owns the address. */
  allocationId?: string;
  associationId?: string;
}

/** An Elastic IP address of the account. */
export interface ElasticIp {
  allocationId: string;
  publicIp: string;
  /** Absent while it is free. */
  association?: {
    associationId: string;
    /** Absent where an instance of EC2-Classic or a service has it. */
    eniId?: string;
  };
}

/** Which Elastic IP addresses: those of the pool that carry all of the tags; at least one of both is needed. */
export interface ElasticIpQuery {
  /** `ipv4pool-ec2-…`, `ipam-pool-…` */
  pool?: string;
  tags?: Readonly<Record<string, string>>;
}

/** An elastic network interface as EC2 reports it; every read can be stale. */
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
  /** The primary one first, if there is one. */
  ipv6Addresses: string[];
  /** Each a /28. */
  ipv4Prefixes: string[];
  /** Each a /80. */
  ipv6Prefixes: string[];
  /** Whether one of the IPv6 addresses is the primary one. */
  hasPrimaryIpv6?: boolean;
  /** Of the primary private address. */
  publicAddress?: PublicAddress;
  sourceDestCheck: boolean;
  connectionTracking?: ConnectionTracking;
  /** Sorted: EC2's order has no meaning. */
  securityGroupIds: string[];
  tags: Readonly<Record<string, string>>;
  /** Absent if the ENI is not attached, and for a while after an attach. */
  attachment?: EniAttachmentState;
  requesterManaged: boolean;
}

export interface CreateEniRequest {
  /** Stable identity of the request (at most 64 ASCII characters): the same token returns the same ENI. */
  clientToken: string;
  subnetId: string;
  securityGroupIds: string[];
  description?: string;
  /** The primary IPv4 address; absent: EC2 chooses it. */
  privateIpAddress?: string;
  /** IPv4 addresses in addition to the primary one; cannot be combined with prefixes. */
  secondaryAddressCount?: number;
  ipv4PrefixCount?: number;
  /** How many IPv6 addresses; absent: as the subnet assigns by default. Cannot be combined with prefixes. */
  ipv6AddressCount?: number;
  ipv6PrefixCount?: number;
  /** Makes the first IPv6 address the primary one. */
  primaryIpv6?: boolean;
  connectionTracking?: ConnectionTracking;
  tags: Readonly<Record<string, string>>;
}

/** A write that IAM does not allow. */
export interface DeniedWrite {
  /** Without `ec2:`. */
  action: string;
  /** What EC2 says; anyone may read it. */
  detail: string;
}

export interface AttachEniRequest {
  eniId: string;
  instanceId: string;
  deviceIndex: number;
  networkCardIndex: number;
  enaExpress?: EnaExpress;
}

/** Addresses of one family: single ones and prefixes. */
export interface AddressSet {
  addresses: readonly string[];
  prefixes: readonly string[];
}

/** How many to assign: of one kind. */
export type AddressCount = { addresses: number } | { prefixes: number };

/** Subnets by id, or by their `Name` tag. */
export type SubnetQuery = { ids: readonly string[] } | { names: readonly string[] };

/** Groups by id, or by group name, in all VPCs or within one. */
export type SecurityGroupQuery =
  | { ids: readonly string[] }
  | { names: readonly string[]; vpcId?: string };

/** At least one tag or the instance is needed. */
export interface EniFilter {
  /** ENIs that carry all of these tags, each with the value given or with one of the values given. */
  tags: Readonly<Record<string, string | readonly string[]>>;
  /** ENIs that this instance has, or is getting or losing. Default: of any instance, or of none. */
  instanceId?: string;
}

export interface ListEnisOptions {
  /** Maps each ENI as its page arrives, so that not all of them are in memory as they were read. */
  map?: (eni: Eni) => Eni;
}

/**
 * Every EC2 call that the operator makes, in the domain's terms. What EC2 does not know is absent from the result of a
 * read, never an error. Failures are {@link Ec2Error}s. Nothing below this interface retries.
 */
export interface Ec2Gateway {
  /**
   * The same gateway for the calls of one owner: owners take turns when calls have to wait.
   * @param wanted evaluated when it is a call's turn: a call that is no longer wanted is not sent and fails with
   * {@link NotWantedError}
   */
  forOwner(owner: string, wanted?: () => boolean): Ec2Gateway;

  describeSubnets(query: SubnetQuery): Promise<Subnet[]>;
  describeSecurityGroups(query: SecurityGroupQuery): Promise<SecurityGroup[]>;
  /** Ids of the groups of other VPCs that are associated with `vpcId` (AssociateSecurityGroupVpc). */
  describeAssociatedGroups(vpcId: string): Promise<string[]>;
  /** Any number of ids; split into several calls if EC2 requires it. */
  describeInstances(ids: readonly string[]): Promise<Instance[]>;
  describeInstanceTypes(types: readonly string[]): Promise<InstanceTypeLimits[]>;
  /** Any number of ids; split into several calls if EC2 requires it. */
  describeEnis(ids: readonly string[]): Promise<Eni[]>;
  /** All addresses that match, free or not. */
  describeElasticIps(query: ElasticIpQuery): Promise<ElasticIp[]>;
  /** All ENIs that match; split into several calls if a tag has more values than EC2 allows. */
  listEnis(filter: EniFilter, options?: ListEnisOptions): Promise<Eni[]>;

  /** @throws {@link UserError} before any call if the security group list is empty, which EC2 rejects. */
  createEni(request: CreateEniRequest): Promise<Eni>;
  /** Starts the attachment; EC2 finishes it later. */
  attachEni(request: AttachEniRequest): Promise<{ attachmentId: string }>;
  setDeleteOnTermination(eniId: string, attachmentId: string, value: boolean): Promise<void>;
  /** @throws {@link UserError} before any call if the security group list is empty, which EC2 rejects. */
  setSecurityGroups(eniId: string, securityGroupIds: readonly string[]): Promise<void>;
  setDescription(eniId: string, description: string): Promise<void>;
  setSourceDestCheck(eniId: string, value: boolean): Promise<void>;
  setConnectionTracking(eniId: string, tracking: ConnectionTracking): Promise<void>;
  setEnaExpress(eniId: string, enaExpress: EnaExpress): Promise<void>;
  /** Makes the first IPv6 address the primary one, which cannot be undone. */
  enablePrimaryIpv6(eniId: string): Promise<void>;
  /** @returns what EC2 assigned */
  assignIpv4(eniId: string, count: AddressCount): Promise<AddressSet>;
  unassignIpv4(eniId: string, set: AddressSet): Promise<void>;
  /** @returns what EC2 assigned */
  assignIpv6(eniId: string, count: AddressCount): Promise<AddressSet>;
  unassignIpv6(eniId: string, set: AddressSet): Promise<void>;
  /**
   * Associates an Elastic IP address with the primary private address.
   * @throws {@link ConflictError} `ElasticIPUnavailable` if it is associated elsewhere or no longer exists
   */
  associateElasticIp(eniId: string, allocationId: string): Promise<{ associationId: string }>;
  disassociateElasticIp(associationId: string): Promise<void>;
  setTags(eniId: string, tags: Readonly<Record<string, string>>): Promise<void>;
  removeTags(eniId: string, keys: readonly string[]): Promise<void>;
  /** Starts the detachment; EC2 finishes it later. */
  detachEni(attachmentId: string, options?: { force?: boolean }): Promise<void>;
  deleteEni(eniId: string): Promise<void>;

  /**
   * Dry runs of the writes that every ENI needs, as they would be about this one: they change nothing.
   * @returns those that IAM denies; none for an ENI that is not attached
   */
  deniedWrites(eni: Eni): Promise<DeniedWrite[]>;
}
