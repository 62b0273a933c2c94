/** Options of every call. */
export interface CallOptions {
  /**
   * Cancels the call: it rejects with the signal's reason. A write in flight may still take effect; the same
   * call again detects that.
   */
  signal?: AbortSignal | undefined;
}

/** Options of a call that waits for EC2. */
export interface WaitOptions extends CallOptions {
  /** In milliseconds; default 300,000. EC2 attaches and detaches within seconds, in rare cases within minutes. */
  timeoutMs?: number | undefined;
}

/** Narrows a name to one subnet. */
export interface SubnetQueryOptions extends CallOptions {
  /** Only in this Availability Zone, e.g. `us-west-2a`. */
  zone?: string;
  vpcId?: string;
}

/** A subnet by its id or by its `Name` tag. */
export type SubnetName = { id: string } | { name: string };

/** A security group by its id or by its group name. */
export type SecurityGroupName = { id: string } | { name: string };

export interface CreateENIRequest {
  subnetId: string;
  /** At least one. */
  securityGroupIds: string[];
  description?: string;
  /** How many IPv4 addresses in addition to the primary one; cannot be combined with prefixes. */
  secondaryAddressCount?: number;
  ipv4PrefixCount?: number;
  /** How many IPv6 addresses; cannot be combined with prefixes. Default: as the subnet assigns them. */
  ipv6AddressCount?: number;
  ipv6PrefixCount?: number;
  /**
   * At most 64 ASCII characters. The same token returns the same ENI, so that a process that died during the
   * call can repeat it. Default: a random one per call.
   */
  clientToken?: string;
  tags?: Readonly<Record<string, string>>;
}

export interface AttachENIRequest extends Slot {
  eniId: string;
  /** Whether EC2 deletes the ENI with the instance. Default: EC2's default, no. */
  deleteOnTermination?: boolean;
}

/** Which ENIs to list; at least one of the two. */
export interface ENIQuery {
  /** Those that this instance has, or is getting or losing. */
  instanceId?: string;
  /** Those that carry all of these tags, each with the value given or with one of the values given. */
  tags?: Readonly<Record<string, string | readonly string[]>>;
}

/** A place for one ENI on an instance. */
export interface Slot {
  instanceId: string;
  /** From 1 on card 0: index 0 there is the interface that the instance was launched with. */
  deviceIndex: number;
  /** Default 0. */
  networkCardIndex?: number;
}

export interface ProvideENIRequest extends Slot {
  /** A name refers to the subnet of that name in the instance's Availability Zone. */
  subnet: SubnetName;
  /** At least one. A name refers to the group of that name in the subnet's VPC. */
  securityGroups: readonly SecurityGroupName[];
  description?: string;
  /** In addition to those by which the library finds its ENIs. */
  tags?: Readonly<Record<string, string>>;
  /** Whether EC2 deletes the ENI with the instance; default true, so that a terminated instance leaves nothing. */
  deleteOnTermination?: boolean;
}

/** An ENI by its id, or all that `provideENI` has created for a slot. */
export type RemoveENIRequest = { eniId: string } | Slot;
