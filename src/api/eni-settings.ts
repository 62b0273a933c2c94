// class-transformer's decorators need it.
import 'reflect-metadata';
import { Type } from 'class-transformer';
import {
  IsBoolean,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { HasAtMostOneOf, IsUserTags } from './validators.js';

const RECLAIM_POLICIES = ['Delete', 'Retain'] as const;

/**
 * What becomes of an ENI that is no longer asked for: it is deleted, or kept detached, for the node to take
 * up again.
 */
export type ReclaimPolicy = (typeof RECLAIM_POLICIES)[number];

/**
 * Where the addresses of the interface on the node come from: the node's agent sets those that EC2 assigned
 * (`static`), has the subnet's DHCP server confirm them (`dhcp`), or leaves addresses alone (`none`).
 */
const ADDRESSING = ['none', 'static', 'dhcp'] as const;
export type Addressing = (typeof ADDRESSING)[number];

/** `policy`: what is sent from the ENI's addresses leaves by the ENI, by a routing table of its own. */
const ROUTING = ['none', 'policy'] as const;
export type Routing = (typeof ROUTING)[number];

/** `up`: the node's agent brings the interface up, and up again. `unmanaged`: it leaves its state alone. */
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

/** ENA Express: AWS Scalable Reliable Datagram between instances that both have it on. */
export class ENAExpress {
  @IsBoolean()
  enabled!: boolean;

  /** Whether UDP uses it as well. */
  @IsOptional()
  @IsBoolean()
  udp?: boolean;
}

/** Addresses per interface: no instance type has more (EC2 User Guide, "Maximum IP addresses per network interface"). */
const MAX_ADDRESSES = 64;

/** IPv4 beside the primary address: single addresses, or blocks of 16. */
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

/** What a NodeENI says of its ENIs, and each ENIAttachment of its one. */
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

  /** The user's tags, beside our own. */
  @IsOptional()
  @IsUserTags()
  tags?: Record<string, string>;

  @IsOptional()
  @IsIn(RECLAIM_POLICIES)
  reclaimPolicy?: ReclaimPolicy;

  @IsOptional()
  @ValidateNested()
  @HasAtMostOneOf(['secondaryAddresses', 'prefixes'])
  @Type(() => IPv4Addresses)
  ipv4?: IPv4Addresses;

  @IsOptional()
  @ValidateNested()
  @Type(() => IPv6Addresses)
  ipv6?: IPv6Addresses;

  /** False: EC2 delivers packets whose source or destination is not an address of the ENI. */
  @IsOptional()
  @IsBoolean()
  sourceDestCheck?: boolean;

  @IsOptional()
  @ValidateNested()
  @Type(() => ConnectionTracking)
  connectionTracking?: ConnectionTracking;

  @IsOptional()
  @ValidateNested()
  @Type(() => ENAExpress)
  enaExpress?: ENAExpress;

  /** The ENI's first IPv6 address becomes its primary one, and stays with it for good. */
  @IsOptional()
  @IsBoolean()
  ipv6Primary?: boolean;

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
