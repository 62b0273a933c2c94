import type { ENIAttachment } from '../../api/eni-attachment.js';
import type { Clock } from '../../runtime/clock.js';

/**
 * When a Create call was last under way for an attachment, as far as this process can know: what another process
 * sent, it sent before this one took charge.
 */
export class CreateTimes {
  private readonly sentAt = new Map<string, number>();
  private inChargeSince: number;

  /** A log of a process that is in charge from now on; {@link takeCharge} corrects that. */
  constructor(private readonly clock: Clock) {
    this.inChargeSince = clock.now();
  }

  /** Until now, another process may have sent Create calls. */
  takeCharge(): void {
    this.inChargeSince = this.clock.now();
  }

  /** A Create call has ended, whatever became of it. */
  sent(attachment: ENIAttachment): void {
    this.sentAt.set(attachment.metadata.uid, this.clock.now());
  }

  forget(attachment: ENIAttachment): void {
    this.sentAt.delete(attachment.metadata.uid);
  }

  /** Milliseconds since the epoch, after which no Create was sent for the attachment. */
  lastSent(attachment: ENIAttachment): number {
    return this.sentAt.get(attachment.metadata.uid) ?? this.inChargeSince;
  }

  /** Whether a Create call may have been under way less than `ms` milliseconds ago. */
  sentWithin(attachment: ENIAttachment, ms: number): boolean {
    return this.clock.now() - this.lastSent(attachment) < ms;
  }
}

/**
 * Since when EC2 is detaching an attachment's ENI, as far as this process can know: since it sent the call, or
 * since it first saw a detachment that an earlier process began.
 */
export class DetachTimes {
  private readonly since = new Map<string, number>();

  constructor(private readonly clock: Clock) {}

  /** A Detach has been sent: the time begins anew. */
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
