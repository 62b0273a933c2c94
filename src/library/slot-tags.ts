import { createHash } from 'node:crypto';
import { TAGS } from '../api/names.js';
import type { Slot } from './requests.js';

/** The tags by which `provideENI` finds its ENIs. The operator's own ENIs have different tags. */
export const LIBRARY_TAGS = {
  /** `ENIManagerOptions.owner`. */
  owner: 'eni-operator/owner',
  /** `INSTANCE/CARD/INDEX`. */
  slot: 'eni-operator/slot',
} as const;

/** Tags that identify the ENI of a slot. */
export function slotTags(owner: string, slot: Slot): Record<string, string> {
  const { instanceId, networkCardIndex = 0, deviceIndex } = slot;
  return {
    [LIBRARY_TAGS.owner]: owner,
    [LIBRARY_TAGS.slot]: `${instanceId}/${networkCardIndex}/${deviceIndex}`,
  };
}

/** All tags of a new ENI except the caller's. The VPC CNI takes over secondary ENIs without `no_manage`. */
export function creationTags(owner: string, slot: Slot): Record<string, string> {
  return { ...slotTags(owner, slot), [TAGS.noManage]: 'true' };
}

/**
 * The ClientToken of a slot's ENI: the same in every process, so that two processes, or one that was killed,
 * get the same ENI. EC2 remembers a token longer than its ENI exists; `earlier` counts those that are used
 * up.
 */
export function slotToken(
  owner: string,
  slot: Slot,
  { subnetId, earlier }: { subnetId: string; earlier: number },
): string {
  const identity = [...Object.values(slotTags(owner, slot)), subnetId, earlier].join('\n');
  return createHash('sha256').update(identity).digest('hex').slice(0, 48);
}
