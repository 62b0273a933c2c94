import { ExponentialBackoff } from '../concurrency/backoff.js';
import { KubeApiError, KubeUnreachableError } from '../kube/kube-errors.js';
import { SilentWatchError } from './watchdog.js';

const FIRST_MS = 800;

/**
 * Where the API server is away or refuses: client-go's first delay, but at most 4 s with jitter, so that caches
 * are current within 5 s of its return (ADR 14). Such requests are cheap, or the API server limits them itself.
 */
const AWAY = { baseMs: FIRST_MS, maxMs: 2_000, jitter: 1 };

/** For answers that make no sense, as a broken proxy gives them: client-go's 0.8 to 30 s, up to twice that by jitter. */
const BROKEN = { baseMs: FIRST_MS, maxMs: 30_000, jitter: 1 };

/** How long a reflector waits after a failure. */
export class RetryDelays {
  private readonly away: ExponentialBackoff;
  private readonly broken: ExponentialBackoff;
  /** A list at once has been granted since the watch last came forward. */
  private listedAtOnce = false;

  /** @param random at least 0, below 1 */
  constructor(private readonly random: () => number) {
    this.away = ExponentialBackoff.create({ ...AWAY, random });
    this.broken = ExponentialBackoff.create({ ...BROKEN, random });
  }

  /**
   * Milliseconds until the next attempt.
   * @param listsAnew whether nothing but a new list is needed: that waits for nothing, the first time
   */
  after(error: unknown, { listsAnew }: { listsAnew: boolean }): number {
    if (listsAnew && !this.listedAtOnce) {
      this.listedAtOnce = true;
      return 0;
    }
    if (error instanceof KubeApiError && error.retryAfterMs !== undefined) {
      return Math.max(error.retryAfterMs, FIRST_MS) + FIRST_MS * this.random();
    }
    const isAway =
      error instanceof KubeUnreachableError ||
      error instanceof KubeApiError ||
      error instanceof SilentWatchError;
    return (isAway ? this.away : this.broken).next('list-watch');
  }

  /** The watch has come forward: the next failure is a first one. */
  reset(): void {
    this.away.forget('list-watch');
    this.broken.forget('list-watch');
    this.listedAtOnce = false;
  }
}
