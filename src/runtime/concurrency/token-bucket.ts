import type { Clock, Timer } from '../clock.js';
import { FairQueue } from './fair-queue.js';

/** One throttled answer cuts the rate to half of what it was, never below this part of the full rate. */
const SLOWEST_PART = 1 / 16;
/** What one success gives back, as a part of the full rate: from the slowest to the full rate in 30 steps. */
const RESTORED_PART = 1 / 32;
/**
 * Calls in flight together are throttled together, and that is one piece of news: within this time
 * (milliseconds) of a cut, further throttled answers do not cut again.
 */
const CUT_INTERVAL_MS = 1_000;
/** Refilling by fractions never sums up exactly. */
const ROUNDING = 1e-9;

interface Waiter {
  wanted(): boolean;
  admit(): void;
  dismiss(): void;
}

export interface TakeOptions {
  signal?: AbortSignal | undefined;
  /** For whom the call is; owners take turns. */
  owner?: string | undefined;
  /** Asked at the call's turn; one that is no longer wanted takes no token. Default: it is wanted. */
  wanted?: (() => boolean) | undefined;
}

/** What a bucket shows of itself. */
export interface TokenBucketView {
  /** Calls that may be made at once. */
  tokens: number;
  /** Present refill, in calls a second. */
  rate: number;
  /** Refill without throttling, in calls a second. */
  fullRate: number;
  /** Calls that wait for their turn. */
  waiting: number;
}

/**
 * A token bucket with a queue: owners in turn, each one's calls in order, at a rate that yields to throttling.
 */
export class TokenBucket {
  private readonly waiters = new FairQueue<Waiter>();
  private tokens: number;
  private rate: number;
  private refilledAt: number;
  private cutAt = Number.NEGATIVE_INFINITY;
  private timer: Timer | undefined;

  private constructor(
    private readonly limit: RateLimit,
    private readonly clock: Clock,
  ) {
    this.tokens = limit.capacity;
    this.rate = limit.refillPerSecond;
    this.refilledAt = clock.now();
  }

  /** A full bucket. */
  static create(options: { limit: RateLimit; clock: Clock }): TokenBucket {
    return new TokenBucket(options.limit, options.clock);
  }

  /**
   * Resolves when the caller may make one call.
   * @param options.owner for whom the call is; owners take turns
   * @throws the signal's reason when `signal` aborts first, and NotWantedError where nobody wants the call at
   * its turn; the place in the queue is given up.
   */
  take({ signal, owner = '', wanted = () => true }: TakeOptions = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = (): void => {
        this.waiters.delete(owner, waiter);
        this.admitWaiters();
        reject(signal?.reason);
      };
      const waiter: Waiter = {
        wanted,
        admit: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
        dismiss: () => {
          signal?.removeEventListener('abort', onAbort);
          reject(new NotWantedError());
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.waiters.add(owner, waiter);
      this.admitWaiters();
    });
  }

  /** EC2 refused a call for rate: its bucket is empty, and so is ours. */
  throttled(): void {
    this.refill();
    this.tokens = 0;
    if (this.clock.now() - this.cutAt >= CUT_INTERVAL_MS) {
      this.cutAt = this.clock.now();
      this.rate = Math.max(this.rate / 2, this.limit.refillPerSecond * SLOWEST_PART);
    }
    this.admitWaiters();
  }

  /** EC2 took a call: a part of a lowered rate comes back. */
  succeeded(): void {
    const full = this.limit.refillPerSecond;
    if (this.rate === full) return;
    this.refill();
    this.rate = Math.min(full, this.rate + full * RESTORED_PART);
    this.admitWaiters();
  }

  view(): TokenBucketView {
    this.refill();
    return {
      tokens: this.tokens,
      rate: this.rate,
      fullRate: this.limit.refillPerSecond,
      waiting: this.waiters.size,
    };
  }

  private refill(): void {
    const now = this.clock.now();
    const elapsedSeconds = Math.max(0, now - this.refilledAt) / 1_000;
    this.tokens = Math.min(this.limit.capacity, this.tokens + elapsedSeconds * this.rate);
    this.refilledAt = now;
  }

  private admitWaiters(): void {
    this.timer?.cancel();
    this.timer = undefined;
    this.refill();
    while (this.tokens >= 1 - ROUNDING) {
      const waiter = this.waiters.shift();
      if (!waiter) break;
      if (!waiter.wanted()) {
        waiter.dismiss();
        continue;
      }
      this.tokens = Math.max(0, this.tokens - 1);
      waiter.admit();
    }
    if (this.waiters.size === 0) return;
    const untilNextMs = Math.ceil(((1 - this.tokens) / this.rate) * 1_000);
    this.timer = this.clock.after(untilNextMs, () => this.admitWaiters());
  }
}

/** A call that was never sent: by the time of its turn, nobody wanted it any more. */
export class NotWantedError extends Error {
  override name = 'NotWantedError';

  constructor() {
    super('The call is no longer wanted');
  }
}

/** A token bucket's size (calls) and refill (calls a second). */
export interface RateLimit {
  capacity: number;
  refillPerSecond: number;
}
