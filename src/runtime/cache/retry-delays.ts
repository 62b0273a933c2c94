import { ExponentialBackoff } from '../concurrency/backoff.js';
import { KubeApiError, KubeUnreachableError } from '../kube/kube-errors.js';
import { SilentWatchError } from './watchdog.js';

const FIRST_MS = 800;

/**
 * While the API server is unavailable or refuses: client-go's first delay, but at most 4 s with jitter, so
 * that caches are current within 5 s of its return (ADR 14). Such requests are cheap, or the API server
 * limits them itself.
 */
const AWAY = { baseMs: FIRST_MS, maxMs: 2_000, jitter: 1 };

/**
 * For malformed responses, such as those of a broken proxy: client-go's 0.8 to 30 s, up to twice that by
 * jitter.
 */
const BROKEN = { baseMs: FIRST_MS, maxMs: 30_000, jitter: 1 };

/** How long a reflector waits after a failure. */
export class RetryDelays {
  private readonly away: ExponentialBackoff;
  private readonly broken: ExponentialBackoff;
  /** A list without delay has been granted since the watch last made progress. */
  private listedWithoutDelay = false;

  /** @param random at least 0, below 1 */
  constructor(private readonly random: () => number) {
    this.away = ExponentialBackoff.create({ ...AWAY, random });
    this.broken = ExponentialBackoff.create({ ...BROKEN, random });
  }

  /**
   * Milliseconds until the next attempt.
   * @param needsNewList whether only a new list is needed: the first one does not wait
   */
  after(error: unknown, { needsNewList }: { needsNewList: boolean }): number {
    if (needsNewList && !this.listedWithoutDelay) {
      this.listedWithoutDelay = true;
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

  /** The watch has made progress: the next failure starts with the first delay. */
  reset(): void {
    this.away.forget('list-watch');
    this.broken.forget('list-watch');
    this.listedWithoutDelay = false;
  }
}
