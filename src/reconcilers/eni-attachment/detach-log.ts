import type { ENIAttachment } from '../../api/eni-attachment.js';
import type { Clock } from '../../runtime/clock.js';

/**
 * Since when EC2 is detaching a record's ENI, as far as this process can know: since it sent the call, or
 * since it first saw a detachment that an earlier process began.
 */
export class DetachLog {
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
