import { isDeepStrictEqual } from 'node:util';
import { MANAGER_NAME, TAGS } from '../../api/names.js';
import type { Eni } from '../../aws/ec2-gateway.js';

/** What an ENI without an attachment is, where it is left as it is. */
export type OrphanFinding =
  /** Nothing uses it; it would be deleted if that were allowed. */
  | 'Orphaned'
  /** Something uses it, and may need it: it is never detached. */
  | 'OrphanedInUse';

/** What is remembered of an ENI from when it was first seen without an attachment. */
export interface Sighting {
  /** The ENI as it has been since then. */
  eni: Eni;
  /** Milliseconds since the epoch. */
  since: number;
  /** The reason that users were told last. */
  lastReported?: string;
  /** Whether EC2 has been asked to delete it, whatever the answer was. */
  deletionSent?: boolean;
}

export interface OrphanRules {
  clusterID: string;
  /** Whether an orphan is deleted, or only told of. */
  cleanup: 'delete' | 'report';
  /** Milliseconds for which an ENI must have been an orphan, and the same, before anything is done. */
  gracePeriodMs: number;
}

/** What is known of one ENI. */
export interface OrphanSituation {
  /** `undefined`: EC2 does not know it. */
  eni: Eni | undefined;
  /** Whether an ENIAttachment has the UID of the ENI's tag. */
  hasAttachment: boolean;
  sighting: Sighting | undefined;
  /** Milliseconds since the epoch. */
  now: number;
}

/** What to do about an ENI that may be an orphan. */
export type OrphanStep =
  /** It is no orphan, or none any more. */
  | { do: 'forget' }
  /** It is gone, as EC2 was asked. */
  | { do: 'confirmDeleted'; sighting: Sighting }
  | { do: 'wait'; sighting: Sighting; ms: number }
  /** Users have been told. */
  | { do: 'leave' }
  | { do: 'report'; sighting: Sighting; finding: OrphanFinding }
  | { do: 'delete'; sighting: Sighting };

/**
 * What becomes of an ENI by itself, by rules that each must hold before it is deleted: it carries the tags
 * of this cluster and this manager, and no tag that retains it; no AWS service manages it; no attachment has
 * its UID; nothing is attached to it; and all that has been so, unchanged, for the grace period. EC2 does
 * not tell when an ENI was made, so its age counts from when it was first seen.
 */
export function planOrphan(situation: OrphanSituation, rules: OrphanRules): OrphanStep {
  const { eni, hasAttachment, sighting, now } = situation;
  if (!eni) {
    return sighting?.deletionSent ? { do: 'confirmDeleted', sighting } : { do: 'forget' };
  }
  if (hasAttachment || !isOurs(eni, rules.clusterID)) {
    return { do: 'forget' };
  }
  if (!sighting || !isDeepStrictEqual(sighting.eni, eni)) {
    const anew = { ...sighting, eni, since: now };
    return { do: 'wait', sighting: anew, ms: rules.gracePeriodMs };
  }
  const left = sighting.since + rules.gracePeriodMs - now;
  if (!(left <= 0)) {
    return { do: 'wait', sighting, ms: left };
  }
  if (rules.cleanup === 'delete' && isFree(eni)) {
    return { do: 'delete', sighting };
  }
  const finding = isFree(eni) ? 'Orphaned' : 'OrphanedInUse';
  return sighting.lastReported === finding ? { do: 'leave' } : { do: 'report', sighting, finding };
}

/** Whether we made the ENI and may end it. Without a UID it cannot be shown to have no attachment. */
function isOurs({ tags, requesterManaged }: Eni, clusterID: string): boolean {
  return (
    tags[TAGS.clusterID] === clusterID &&
    tags[TAGS.managedBy] === MANAGER_NAME &&
    Boolean(tags[TAGS.attachmentUID]) &&
    tags[TAGS.retained] === undefined &&
    !requesterManaged
  );
}

/** In a state that EC2 may add, an ENI is not free. */
function isFree({ status, attachment }: Eni): boolean {
  return status === 'available' && attachment === undefined;
}
