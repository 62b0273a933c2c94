import type { ENIAttachment } from '../api/eni-attachment.js';
import type { Clock } from '../runtime/clock.js';

/**
 * When a Create call was last sent for a record, as far as this process can know: what another process
 * sent, it sent before this one took charge.
 */
export class CreateLog {
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

  sending(record: ENIAttachment): void {
    this.sentAt.set(record.metadata.uid, this.clock.now());
  }

  forget(record: ENIAttachment): void {
    this.sentAt.delete(record.metadata.uid);
  }

  /** Milliseconds since the epoch, after which no Create was sent for the record. */
  lastSent(record: ENIAttachment): number {
    return this.sentAt.get(record.metadata.uid) ?? this.inChargeSince;
  }
}
