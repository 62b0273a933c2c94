import { IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { IsUserTags } from './validators.js';

export const RECLAIM_POLICIES = ['Delete', 'Retain'] as const;

/**
 * What becomes of an ENI that is no longer asked for: it is deleted, or kept detached, for the node to take
 * up again.
 */
export type ReclaimPolicy = (typeof RECLAIM_POLICIES)[number];

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
}
