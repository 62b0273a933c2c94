import type { ENIAttachment } from '../../api/eni-attachment.js';
import type { Clock } from '../../runtime/clock.js';

/**
 * When a Create call was last in flight for an attachment, as far as this process can know: another process can only
 * have sent one before this one became the leader.
 */
export class CreateTimes {
  private readonly sentAt = new Map<string, number>();
  private leaderSince: number;

  /** Assumes that the process has just become the leader; {@link becameLeader} updates that. */
  constructor(private readonly clock: Clock) {
    this.leaderSince = clock.now();
  }

  /** Until now, another process may have sent Create calls. */
  becameLeader(): void {
    this.leaderSince = this.clock.now();
  }

  /** Until when (milliseconds since the epoch) calls of an earlier leader may arrive at EC2. */
  othersMayArriveUntil(windowMs: number): number {
    return this.leaderSince + windowMs;
  }

  /** A Create call ended, whatever its result. */
  sent(attachment: ENIAttachment): void {
    this.sentAt.set(attachment.metadata.uid, this.clock.now());
  }

  forget(attachment: ENIAttachment): void {
    this.sentAt.delete(attachment.metadata.uid);
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
