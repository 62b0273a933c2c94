import { IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { IsUserTags } from './validators.js';

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
  @IsIn(ADDRESSING)
  addressing?: Addressing;

  @IsOptional()
  @IsIn(ROUTING)
  routing?: Routing;

  @IsOptional()
  @IsIn(LINK_STATES)
  linkState?: LinkState;
}
