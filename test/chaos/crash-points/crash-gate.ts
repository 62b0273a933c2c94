import { type Clock, sleep } from '../../../src/runtime/clock.js';
import type { CrashPoint, Moment, Write } from './crash-point.js';

/** A controller that does nothing for so long after an answer (milliseconds) does nothing because of it. */
const NEXT_REQUEST_MS = 150;

/**
 * What becomes of a request: it `pass`es; it is `held` until the controller is dead, and then dropped; or
 * it is the one at which the controller dies, and this is when.
 */
export type Verdict = 'pass' | 'held' | Moment;

export interface CrashGateOptions {
  clock: Clock;
  /** Unset: nothing ever crashes, and the writes are only counted. */
  point?: CrashPoint | undefined;
}

/**
 * All requests of the controller pass here. From the write on that is the crash point, no other gets
 * through until a new controller is let in: what the old one does meanwhile has no effect.
 */
export class CrashGate {
  private readonly seen: Write[] = [];
  private readonly counts = new Map<string, number>();
  private readonly dead = Promise.withResolvers<void>();
  private readonly doomed = Promise.withResolvers<void>();
  private readonly end = Promise.withResolvers<void>();
  private next = Promise.withResolvers<void>();
  private state: 'open' | 'shut' | 'reopened' = 'open';

  constructor(private readonly options: CrashGateOptions) {}

  /** The writes so far, in the order in which they came. */
  get writes(): readonly Write[] {
    return this.seen;
  }

  /** Whether the crash point was met. */
  get isMet(): boolean {
    return this.state !== 'open';
  }

  /** Resolves when to kill the controller. */
  get killed(): Promise<void> {
    return this.doomed.promise;
  }

  /** Resolves once the controller is dead. */
  get buried(): Promise<void> {
    return this.dead.promise;
  }

  /**
   * Resolves once nothing more will come of the request that was the crash point.
   * @throws where it was to reach the server, and did not
   */
  get spent(): Promise<void> {
    return this.end.promise;
  }

  /** @param write the name of what the request writes; unset: it reads */
  meet(write: string | undefined): Verdict {
    if (this.state === 'shut') {
      this.next.resolve();
      return 'held';
    }
    if (write === undefined) {
      return 'pass';
    }
    const occurrence = (this.counts.get(write) ?? 0) + 1;
    this.counts.set(write, occurrence);
    this.seen.push({ name: write, occurrence });
    const { point } = this.options;
    if (
      this.state === 'reopened' ||
      point?.write.name !== write ||
      point.write.occurrence !== occurrence
    ) {
      return 'pass';
    }
    this.state = 'shut';
    return point.moment;
  }

  /** Has the controller killed, and resolves once it is dead. */
  async kill(): Promise<void> {
    this.doomed.resolve();
    await this.dead.promise;
  }

  /** Has the controller killed at its next request, or where it sends none. */
  async killAtNextRequest(): Promise<void> {
    this.next = Promise.withResolvers<void>();
    await Promise.race([this.next.promise, sleep(this.options.clock, NEXT_REQUEST_MS)]);
    await this.kill();
  }

  /** The controller that was to be killed is dead. */
  bury(): void {
    this.dead.resolve();
  }

  /** Nothing more will come of the request that was the crash point: that is `outcome`. */
  spend(outcome: Promise<void>): void {
    this.end.resolve(outcome);
  }

  /** Lets a new controller's requests through, all of them. */
  reopen(): void {
    this.state = 'reopened';
  }
}
