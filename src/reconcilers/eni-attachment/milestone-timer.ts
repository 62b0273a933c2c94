import { ENI_ATTACHMENT_CONDITIONS } from '../../api/conditions.js';
import type { ENIAttachment, Phase } from '../../api/eni-attachment.js';
import { type Condition, findCondition } from '../../runtime/kube/conditions.js';

/** In this order. */
export type Milestone = 'attached' | 'ready';

/** Called once per attachment and milestone, for metrics. */
export interface MilestoneObserver {
  /** @param seconds since the attachment was created; up to one too many, because the API server stores whole seconds */
  reached(milestone: Milestone, seconds: number): void;
}

const MILESTONES: readonly Milestone[] = ['attached', 'ready'];

/**
 * A condition that became false later than this after the attachment's creation (milliseconds) was true before: the
 * first status of a new attachment is written within seconds, with the condition false.
 */
const FIRST_STATUS_WITHIN_MS = 300_000;

/**
 * Measures how long attachments take to reach their milestones. A milestone that is lost and reached again does not
 * count; this process remembers what it saw, and for the time before it started it looks at the age of the
 * condition's `False`.
 */
export class MilestoneTimer {
  /** UIDs of attachments that lost a milestone without being deleted. */
  private readonly lost: Record<Milestone, Set<string>> = { attached: new Set(), ready: new Set() };

  constructor(private readonly observer: MilestoneObserver) {}

  /**
   * The attachment's status changed to `phase`.
   * @param attachment as it was before
   * @param now milliseconds since the epoch
   */
  moved(attachment: ENIAttachment, phase: Phase, now: number): void {
    const { uid, creationTimestamp, deletionTimestamp } = attachment.metadata;
    if (deletionTimestamp !== undefined) {
      this.forget(uid);
      return;
    }
    if (creationTimestamp === undefined) return;
    const createdAt = Date.parse(creationTimestamp);
    for (const milestone of MILESTONES) {
      const before = hadReached(attachment, milestone);
      const after = hasReached(phase, milestone);
      if (before && !after) this.lost[milestone].add(uid);
      if (before || !after || this.lost[milestone].has(uid)) continue;
      if (isFirst(attachment, milestone, createdAt)) {
        this.observer.reached(milestone, (now - createdAt) / 1_000);
      }
    }
  }

  private forget(uid: string): void {
    for (const milestone of MILESTONES) this.lost[milestone].delete(uid);
  }
}

function hasReached(phase: Phase, milestone: Milestone): boolean {
  return phase === 'Ready' || (phase === 'Attached' && milestone === 'attached');
}

function hadReached(attachment: ENIAttachment, milestone: Milestone): boolean {
  return conditionOf(attachment, milestone)?.status === 'True';
}

function isFirst(attachment: ENIAttachment, milestone: Milestone, createdAt: number): boolean {
  if ((attachment.status?.replacements ?? 0) > 0) return false;
  const falseSince = conditionOf(attachment, milestone)?.lastTransitionTime;
  return falseSince === undefined || Date.parse(falseSince) - createdAt <= FIRST_STATUS_WITHIN_MS;
}

function conditionOf(attachment: ENIAttachment, milestone: Milestone): Condition | undefined {
  return findCondition(attachment, ENI_ATTACHMENT_CONDITIONS[milestone]);
}
