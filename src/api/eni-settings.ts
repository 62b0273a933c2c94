// Required by class-transformer's decorators.
import 'reflect-metadata';
import { Type } from 'class-transformer';
import {
  IsBoolean,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import {
  HasAtLeastOneOf,
  HasAtMostOneOf,
  IsTagSelection,
  IsUserTags,
  NoUdpUnlessEnabled,
} from './validators.js';

const RECLAIM_POLICIES = ['Delete', 'Retain'] as const;

/**
 * What happens to an ENI that is no longer desired: it is deleted, or detached and kept, for the node to use
 * again.
 */
export type ReclaimPolicy = (typeof RECLAIM_POLICIES)[number];

/**
 * The origin of the interface's addresses on the node: the agent sets those that EC2 assigned (`static`), has
 * the subnet's DHCP server confirm them (`dhcp`), or leaves addresses alone (`none`).
 */
const ADDRESSING = ['none', 'static', 'dhcp'] as const;
export type Addressing = (typeof ADDRESSING)[number];

/** `policy`: packets from the ENI's addresses leave through the ENI, by a routing table of its own. */
const ROUTING = ['none', 'policy'] as const;
export type Routing = (typeof ROUTING)[number];

/** `up`: the agent brings the interface up, and restores that. `unmanaged`: it leaves the state alone. */
const LINK_STATES = ['up', 'unmanaged'] as const;
export type LinkState = (typeof LINK_STATES)[number];

/**
 * Seconds for which an idle connection through the ENI is tracked. Bounds and defaults: EC2 User Guide, "Idle
 * connection tracking timeout".
 */
export class ConnectionTracking {
  @IsOptional()
  @IsInt()
  @Min(60)
  @Max(432_000)
  tcpEstablishedTimeout?: number;

  /** UDP flows with more than one request and response. */
  @IsOptional()
  @IsInt()
  @Min(60)
  @Max(180)
  udpStreamTimeout?: number;

  /** UDP flows with traffic in one direction, or a single exchange. */
  @IsOptional()
  @IsInt()
  @Min(30)
  @Max(60)
  udpTimeout?: number;
}

/** ENA Express: AWS Scalable Reliable Datagram between instances on which it is enabled. */
export class ENAExpress {
  @IsBoolean()
  @NoUdpUnlessEnabled()
  enabled!: boolean;

  /** Whether UDP uses it too. */
  @IsOptional()
  @IsBoolean()
  udp?: boolean;
}

/** Addresses per interface: no instance type has more (EC2 User Guide, "Maximum IP addresses per network interface"). */
const MAX_ADDRESSES = 64;

/** IPv4 in addition to the primary address: single addresses, or blocks of 16. */
export class IPv4Addresses {
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_ADDRESSES)
  secondaryAddresses?: number;

  /** Each a /28. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_ADDRESSES)
  prefixes?: number;
}

export class IPv6Addresses {
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_ADDRESSES)
  addresses?: number;

  /** Each a /80. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_ADDRESSES)
  prefixes?: number;
}

/** A public IPv4 pool that the account brought to AWS, or a pool of IPAM. */
const POOL_ID = /^(ipv4pool-ec2|ipam-pool)-[0-9a-f]{8,17}$/;

/** The Elastic IP addresses of the account that an ENI can have: those that both fields select. */
export class ElasticIPSelection {
  /** An address must have all of them. */
  @IsOptional()
  @IsTagSelection()
  tags?: Record<string, string>;

  /** An address must come from it. */
  @IsOptional()
  @Matches(POOL_ID, {
    message: 'pool must be the ID of a pool, ipv4pool-ec2-… or ipam-pool-…, not $value',
  })
  pool?: string;
}

/** The ENI settings that a NodeENI and its ENIAttachments share. */
export class ENISettings {
  @IsOptional()
  @IsString()
  @MaxLength(255)
  description?: string;

  /** Bytes. */
  @IsOptional()
  @IsInt()
  @Min(576)
  @Max(9001)
  mtu?: number;

  /** The user's tags, in addition to the operator's. */
  @IsOptional()
  @IsUserTags()
  tags?: Record<string, string>;

  @IsOptional()
  @IsIn(RECLAIM_POLICIES)
  reclaimPolicy?: ReclaimPolicy;

  @IsOptional()
  @IsObject()
  @ValidateNested()
  @HasAtLeastOneOf(['secondaryAddresses', 'prefixes'])
  @HasAtMostOneOf(['secondaryAddresses', 'prefixes'])
  @Type(() => IPv4Addresses)
  ipv4?: IPv4Addresses;

  @IsOptional()
  @IsObject()
  @ValidateNested()
  @HasAtLeastOneOf(['addresses', 'prefixes'])
  @Type(() => IPv6Addresses)
  ipv6?: IPv6Addresses;

  /** False: EC2 delivers packets whose source or destination is not an address of the ENI. */
  @IsOptional()
  @IsBoolean()
  sourceDestCheck?: boolean;

  @IsOptional()
  @IsObject()
  @ValidateNested()
  @HasAtLeastOneOf(['tcpEstablishedTimeout', 'udpStreamTimeout', 'udpTimeout'])
  @Type(() => ConnectionTracking)
  connectionTracking?: ConnectionTracking;

  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => ENAExpress)
  enaExpress?: ENAExpress;

  /** The ENI's first IPv6 address becomes its primary one, permanently. */
  @IsOptional()
  @IsBoolean()
  ipv6Primary?: boolean;

  /** A free one is associated with the primary private address. */
  @IsOptional()
  @ValidateNested()
  @HasAtLeastOneOf(['tags', 'pool'])
  @Type(() => ElasticIPSelection)
  elasticIP?: ElasticIPSelection;

  @IsOptional()
  @IsIn(ADDRESSING)
  addressing?: Addressing;

  @IsOptional()
  @IsIn(ROUTING)
  routing?: Routing;

  @IsOptional()
  @IsIn(LINK_STATES)
  linkState?: LinkState;
}
