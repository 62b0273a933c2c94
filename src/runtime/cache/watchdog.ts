import type { Clock, Timer } from '../clock.js';

/** The watch delivered nothing, not even a bookmark: the connection is dead, whatever TCP reports. */
export class SilentWatchError extends Error {
  override name = 'SilentWatchError';
}

/** Aborts its signal with a {@link SilentWatchError} after `silenceMs` milliseconds without an event. */
export class Watchdog {
  private readonly controller = new AbortController();
  private activeAt: number;
  private timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly silenceMs: number,
  ) {
    this.activeAt = clock.now();
    this.check();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  active(): void {
    this.activeAt = this.clock.now();
  }

  stop(): void {
    this.timer?.cancel();
  }

  /** One timer, rescheduled when it fires: events need no timers of their own. */
  private check(): void {
    const leftMs = this.activeAt + this.silenceMs - this.clock.now();
    if (leftMs <= 0) {
      this.controller.abort(new SilentWatchError('The watch delivers no events or bookmarks'));
      return;
    }
    this.timer = this.clock.after(leftMs, () => this.check());
  }
}
