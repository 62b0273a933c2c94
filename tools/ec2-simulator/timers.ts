import type { Clock, Timer } from '../../src/runtime/clock.js';

/** The delayed work of one simulator, so that all of it can be called off at once. */
export class Timers {
  private readonly pending = new Set<Timer>();

  constructor(private readonly clock: Clock) {}

  /** Calls `work` after `ms` milliseconds; at once, within this call, where `ms` is 0. */
  after(ms: number, work: () => void): void {
    if (ms <= 0) {
      work();
      return;
    }
    const timer = this.clock.after(ms, () => {
      this.pending.delete(timer);
      work();
    });
    this.pending.add(timer);
  }

  cancelAll(): void {
    for (const timer of this.pending) {
      timer.cancel();
    }
    this.pending.clear();
  }
}
