import type { Clock, Timer } from '../../../../src/runtime/clock.js';

/** The time of a process that can be stopped (SIGSTOP): while it is, none of its timers fires. */
export class StallableProcess implements Clock {
  private stalledUntil = Number.NEGATIVE_INFINITY;

  /**
   * @param clock the time that passes for everybody.
   * @param skewMs by how much this process's idea of the date is wrong.
   */
  constructor(
    private readonly clock: Clock,
    private readonly skewMs = 0,
  ) {}

  get isStalled(): boolean {
    return this.clock.now() < this.stalledUntil;
  }

  stall(ms: number): void {
    this.stalledUntil = Math.max(this.stalledUntil, this.clock.now() + ms);
  }

  /** It is never heard of again. */
  die(): void {
    this.stalledUntil = Number.POSITIVE_INFINITY;
  }

  now(): number {
    return this.clock.now() + this.skewMs;
  }

  /** A clock that cannot be set, and that runs during a stall too. */
  monotonicNow(): number {
    return this.clock.now();
  }

  after(ms: number, callback: () => void): Timer {
    const fire = (): void => {
      if (!this.isStalled) callback();
      else if (this.stalledUntil < Number.POSITIVE_INFINITY) {
        timer = this.clock.after(this.stalledUntil - this.clock.now(), fire);
      }
    };
    let timer = this.clock.after(ms, fire);
    return { cancel: () => timer.cancel() };
  }
}
