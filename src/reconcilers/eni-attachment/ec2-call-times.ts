import type { ENIAttachment } from '../../api/eni-attachment.js';
import type { Clock } from '../../runtime/clock.js';

/**
 * When a Create call was last in flight for an attachment, as far as this process can know: another process can only
 * have sent one before this one became the leader.
 */
export class CreateTimes {
  private readonly sentAt = new Map<string, number>();
  /** UIDs of the attachments that this process has created, or for which it has confirmed that EC2 has no ENI. */
  private readonly own = new Set<string>();
  private leaderSince: number;

  /** Assumes that the process has just become the leader; {@link becameLeader} updates that. */
  constructor(private readonly clock: Clock) {
    this.leaderSince = clock.now();
  }

  /** Until now, another process may have sent Create calls. */
  becameLeader(): void {
    this.own.clear();
    this.leaderSince = this.clock.now();
  }

  /** Until when (milliseconds since the epoch) calls of an earlier leader may arrive at EC2. */
  othersMayArriveUntil(windowMs: number): number {
    return this.leaderSince + windowMs;
  }

  /** This process created the attachment: no other can have sent a Create for it. */
  created({ metadata }: ENIAttachment): void {
    this.own.add(metadata.uid);
  }

  /** EC2 has no ENI of the attachment, and no call is in flight that could create one. */
  confirmedAbsent({ metadata }: ENIAttachment): void {
    this.own.add(metadata.uid);
    this.sentAt.delete(metadata.uid);
  }

  /** Whether no process can have sent a Create call for the attachment. */
  isUntouched({ metadata }: ENIAttachment): boolean {
    return this.own.has(metadata.uid) && !this.sentAt.has(metadata.uid);
  }

  /** Whether only an earlier leader can have sent a Create call for the attachment. */
  isInherited({ metadata }: ENIAttachment): boolean {
    return !this.own.has(metadata.uid) && !this.sentAt.has(metadata.uid);
  }

  /** A Create call ended, whatever its result. */
  sent(attachment: ENIAttachment): void {
    this.sentAt.set(attachment.metadata.uid, this.clock.now());
  }

  forget(attachment: ENIAttachment): void {
    this.sentAt.delete(attachment.metadata.uid);
    this.own.delete(attachment.metadata.uid);
  }

  /** Milliseconds since the epoch, after which no Create was sent for the attachment. */
  lastSent(attachment: ENIAttachment): number {
    return this.sentAt.get(attachment.metadata.uid) ?? this.leaderSince;
  }

  /** Whether a Create call may have been in flight less than `ms` milliseconds ago. */
  sentWithin(attachment: ENIAttachment, ms: number): boolean {
    return this.clock.now() - this.lastSent(attachment) < ms;
  }
}

/**
 * Since when EC2 has been detaching an attachment's ENI, as far as this process can know: since it sent the
 * call, or since it first saw a detachment that an earlier process started.
 */
export class DetachTimes {
  private readonly since = new Map<string, number>();

  constructor(private readonly clock: Clock) {}

  /** A Detach was sent: the time starts over. */
  sent({ metadata }: ENIAttachment): void {
    this.since.set(metadata.uid, this.clock.now());
  }

  forget({ metadata }: ENIAttachment): void {
    this.since.delete(metadata.uid);
  }

  /** Milliseconds since the epoch. */
  detachingSince({ metadata }: ENIAttachment): number {
    const since = this.since.get(metadata.uid) ?? this.clock.now();
    this.since.set(metadata.uid, since);
    return since;
  }
}

export interface AssociateTimesOptions {
  clock: Clock;
  createTimes: CreateTimes;
  /** Milliseconds by which EC2's reads may lag behind its writes, and calls may be under way. */
  consistencyWindowMs: number;
}

/**
 * Until when an AssociateAddress call for what an attachment records may take effect or show, as far as this process
 * can know: another process can only have sent one for a record that this one has not written as the leader.
 */
export class AssociateTimes {
  private readonly recordedAt = new Map<string, number>();
  private readonly unansweredAt = new Map<string, number>();

  constructor(private readonly options: AssociateTimesOptions) {}

  /** This process wrote the record; it sends calls for it only from now on. */
  recorded({ metadata }: ENIAttachment): void {
    this.recordedAt.set(metadata.uid, this.options.clock.now());
    this.unansweredAt.delete(metadata.uid);
  }

  /** A call ended without a response. */
  unanswered({ metadata }: ENIAttachment): void {
    this.unansweredAt.set(metadata.uid, this.options.clock.now());
  }

  forget({ metadata }: ENIAttachment): void {
    this.recordedAt.delete(metadata.uid);
    this.unansweredAt.delete(metadata.uid);
  }

  mayArrive({ metadata }: ENIAttachment): boolean {
    const { clock, createTimes, consistencyWindowMs } = this.options;
    const leaderSince = createTimes.othersMayArriveUntil(0);
    const isOwn = (this.recordedAt.get(metadata.uid) ?? Number.NEGATIVE_INFINITY) >= leaderSince;
    const others = isOwn ? Number.NEGATIVE_INFINITY : leaderSince;
    const own = this.unansweredAt.get(metadata.uid) ?? Number.NEGATIVE_INFINITY;
    return clock.now() - Math.max(others, own) < consistencyWindowMs;
  }
}
