import { isDeepStrictEqual } from 'node:util';
import { TAGS } from '../../api/names.js';
import type { Eni } from '../../aws/ec2-gateway.js';
import { isOperatorEni } from '../shared/eni-ownership.js';

/** Why an ENI without an attachment is not deleted. */
export type OrphanFinding =
  /** Nothing uses it, but the configuration does not allow to delete it. */
  | 'Orphaned'
  /** Something uses it and may need it: the controller never detaches it. */
  | 'OrphanedInUse';

/** An ENI that was seen without an attachment. */
export interface Sighting {
  /** The ENI, unchanged since then. */
  eni: Eni;
  /** Milliseconds since the epoch. */
  since: number;
  /** The reason of the last Event. */
  lastReported?: string;
  /** Whether a Delete call was sent, whatever its result. */
  deletionSent?: boolean;
}

export interface OrphanRules {
  clusterID: string;
  /** Whether an orphan is deleted, or only reported in an Event. */
  cleanup: 'delete' | 'report';
  /** Milliseconds for which an ENI must be an unchanged orphan before anything is done. */
  gracePeriodMs: number;
}

/** The facts that the rules evaluate. */
export interface OrphanSituation {
  /** Undefined where EC2 does not know it. */
  eni: Eni | undefined;
  /** Whether an ENIAttachment has the UID of the ENI's tag. */
  hasAttachment: boolean;
  sighting: Sighting | undefined;
  /** Milliseconds since the epoch. */
  now: number;
}

/** What to do about an ENI that may be an orphan. */
export type OrphanStep =
  /** Not an orphan, or no longer one. */
  | { do: 'forget' }
  /** Deleted, after a Delete call of this process. */
  | { do: 'confirmDeleted'; sighting: Sighting }
  | { do: 'wait'; sighting: Sighting; ms: number }
  /** Already reported. */
  | { do: 'leave' }
  | { do: 'report'; sighting: Sighting; finding: OrphanFinding }
  | { do: 'delete'; sighting: Sighting };

/**
 * The next step for an ENI that may be an orphan. All of this must hold before it is deleted: it carries the tags
 * of this cluster and this manager, and no tag that retains it; no AWS service manages it; no attachment has its
 * UID; it is not attached; and all of that was unchanged for the grace period. EC2 does not report when an ENI was
 * created, so its age counts from when it was first seen.
 */
export function planOrphan(situation: OrphanSituation, rules: OrphanRules): OrphanStep {
  const { eni, hasAttachment, sighting, now } = situation;
  if (!eni) {
    return sighting?.deletionSent ? { do: 'confirmDeleted', sighting } : { do: 'forget' };
  }
  if (hasAttachment || !isDeletable(eni, rules.clusterID)) {
    return { do: 'forget' };
  }
  if (!sighting || !isDeepStrictEqual(sighting.eni, eni)) {
    return { do: 'wait', sighting: { ...sighting, eni, since: now }, ms: rules.gracePeriodMs };
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

/** Whether this operator created the ENI and may delete it. Without a UID, nothing can prove that it has no attachment. */
function isDeletable(eni: Eni, clusterID: string): boolean {
  return (
    isOperatorEni(eni, clusterID) &&
    Boolean(eni.tags[TAGS.attachmentUID]) &&
    eni.tags[TAGS.retained] === undefined
  );
}

/** A status that EC2 adds in the future does not count as free. */
function isFree({ status, attachment }: Eni): boolean {
  return status === 'available' && attachment === undefined;
}
