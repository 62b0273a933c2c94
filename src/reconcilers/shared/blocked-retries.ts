import type { Clock } from '../../runtime/clock.js';
import type { ExponentialBackoff } from '../../runtime/concurrency/backoff.js';

export interface BlockedRetriesOptions {
  backoff: ExponentialBackoff;
  clock: Clock;
}

/** When to try again what somebody has to correct first. */
export interface Retry {
  /** Milliseconds from now. */
  afterMs: number;
  /** Whether this pass was a try of its own, or one that something else woke before the next was due. */
  counts: boolean;
}

/** Growing waits between tries, that passes woken by something else neither shorten nor lengthen. */
export class BlockedRetries {
  private readonly dueAt = new Map<string, number>();

  constructor(private readonly options: BlockedRetriesOptions) {}

  next(key: string): Retry {
    const { backoff, clock } = this.options;
    const now = clock.now();
    const dueAt = this.dueAt.get(key);
    if (dueAt !== undefined && now < dueAt) {
      return { afterMs: dueAt - now, counts: false };
    }
    const afterMs = backoff.next(key);
    this.dueAt.set(key, now + afterMs);
    return { afterMs, counts: true };
  }

  /** The cause is gone, or the key is: the next wait is the first again. */
  forget(key: string): void {
    this.options.backoff.forget(key);
    this.dueAt.delete(key);
  }
}
