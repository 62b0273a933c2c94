import type { Clock, Timer } from '../../runtime/clock.js';
import type { Eni } from '../ec2-gateway.js';
import type { TransitionTimes } from './transition-times.js';

export interface TransitionReadsOptions {
  times: Pick<TransitionTimes, 'readAt'>;
  /** Reads the ENI from EC2, together with others that are read at the same moment. */
  read: (eniId: string) => Promise<unknown>;
  clock: Clock;
  /** The longest time that a read waits for others to become due, in milliseconds. */
  gatherMs: number;
}

interface Waiting {
  /** Milliseconds. */
  dueAt: number;
  answer: PromiseWithResolvers<void>;
}

/** A read waits for no further ENI once none has become due for this long, in milliseconds. */
const QUIET_MS = 25;

/**
 * Reads ENIs that EC2 is attaching or detaching when that is probably over. One read serves all that wait: it takes
 * place when the first is due, or a little later if more become due right after it.
 */
export class TransitionReads {
  private readonly waiting = new Map<string, Waiting>();
  private timer: Timer | undefined;

  constructor(private readonly options: TransitionReadsOptions) {}

  /**
   * Resolves after the next read of the ENI at a time when its transition is probably over.
   * @throws Ec2Error
   */
  next(eni: Eni): Promise<void> {
    const known = this.waiting.get(eni.id);
    if (known) return known.answer.promise;
    const { times, clock } = this.options;
    const now = clock.now();
    const dueAt = Math.max(now, times.readAt(eni.id, eni, now));
    const answer = Promise.withResolvers<void>();
    this.waiting.set(eni.id, { dueAt, answer });
    this.schedule();
    return answer.promise;
  }

  /** When the first is due, or up to `gatherMs` later if more become due right after it. */
  private schedule(): void {
    const { clock, gatherMs } = this.options;
    this.timer?.cancel();
    this.timer = undefined;
    const due = [...this.waiting.values()].map(({ dueAt }) => dueAt).sort((a, b) => a - b);
    const [first] = due;
    if (first === undefined) return;
    let readAt = first;
    for (const dueAt of due) {
      if (dueAt > readAt + QUIET_MS) break;
      readAt = dueAt;
    }
    readAt = Math.min(readAt + QUIET_MS, first + gatherMs);
    this.timer = clock.after(Math.max(0, readAt - clock.now()), () => this.readDue());
  }

  private readDue(): void {
    const { clock, read } = this.options;
    const now = clock.now();
    for (const [eniId, { dueAt, answer }] of [...this.waiting]) {
      if (dueAt > now) continue;
      this.waiting.delete(eniId);
      read(eniId).then(() => answer.resolve(), answer.reject);
    }
    this.schedule();
  }
}
