import type { Clock, Timer } from '../clock.js';

/** The watch said nothing, not even by a bookmark: the connection is dead, whatever TCP believes. */
export class SilentWatchError extends Error {
  override name = 'SilentWatchError';
}

/** Aborts its signal with a {@link SilentWatchError} where nothing has come for `silenceMs` milliseconds. */
export class Watchdog {
  private readonly controller = new AbortController();
  private heardAt: number;
  private timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly silenceMs: number,
  ) {
    this.heardAt = clock.now();
    this.check();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  heard(): void {
    this.heardAt = this.clock.now();
  }

  stop(): void {
    this.timer?.cancel();
  }

  /** One timer, moved on when it fires: an event costs no timer of its own. */
  private check(): void {
    const leftMs = this.heardAt + this.silenceMs - this.clock.now();
    if (leftMs <= 0) {
      this.controller.abort(new SilentWatchError('The watch has gone silent'));
      return;
    }
    this.timer = this.clock.after(leftMs, () => this.check());
  }
}
