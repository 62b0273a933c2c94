import type { Clock, Timer } from '../clock.js';

/** What was waited for did not come in time. */
export class DeadlineError extends Error {
  override name = 'DeadlineError';
}

/** A wait of at most so long, for one thing after the other. */
export class Deadline {
  private timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly missed: (error: DeadlineError) => void,
  ) {}

  /** From now on it waits `ms` milliseconds for `what`, and for nothing else. */
  wait(what: string, ms: number): void {
    this.lift();
    this.timer = this.clock.after(ms, () =>
      this.missed(new DeadlineError(`Not within ${ms} ms: ${what}`)),
    );
  }

  lift(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }
}
