import type { Clock, Timer } from '../clock.js';
import { FairQueue } from './fair-queue.js';

/** One throttled response halves the rate, never below this fraction of the full rate. */
const SLOWEST_PART = 1 / 16;
/** Each success restores this fraction of the full rate: from the slowest to the full rate in 30 steps. */
const RESTORED_PART = 1 / 32;
/**
 * Calls in flight are throttled together, and count as one sign of throttling: within this time of a cut, in
 * milliseconds, further throttled responses do not cut the rate again.
 */
const CUT_INTERVAL_MS = 1_000;
/** Fractional refills never sum up exactly. */
const ROUNDING = 1e-9;

interface Waiter {
  wanted(): boolean;
  admit(): void;
  dismiss(): void;
}

export interface TakeOptions {
  signal?: AbortSignal | undefined;
  /** The owner of the call; owners take turns. */
  owner?: string | undefined;
  /**
   * Checked when the call's turn comes; a call that is no longer wanted takes no token. Default: it is
   * wanted.
   */
  wanted?: (() => boolean) | undefined;
}

/** A bucket's state, for metrics. */
export interface TokenBucketView {
  /** Calls that may be made without waiting. */
  tokens: number;
  /** Current refill, in calls per second. */
  rate: number;
  /** Refill without throttling, in calls per second. */
  fullRate: number;
  /** Calls that wait for their turn. */
  waiting: number;
}

export interface TokenBucketOptions {
  limit: RateLimit;
  clock: Clock;
  /** How long after its admission a call may arrive at the server, in milliseconds. Default: 0. */
  arrivesWithinMs?: number;
}

/**
 * A token bucket with a queue: owners take turns, each owner's calls run in order, and the rate adapts to
 * throttling.
 *
 * The server has a bucket of its own, which gains nothing as long as it is full: until the first call of a burst
 * arrives. This one counts each call as under way for as long as it can be, and gains nothing in that time either, so
 * that it never has more tokens than the server's.
 */
export class TokenBucket {
  private readonly waiters = new FairQueue<Waiter>();
  /** When each call that may be under way has arrived at the latest, in milliseconds, in rising order. */
  private readonly arrivals: number[] = [];
  private tokens: number;
  private rate: number;
  private refilledAt: number;
  private cutAt = Number.NEGATIVE_INFINITY;
  private timer: Timer | undefined;

  private constructor(private readonly options: Required<TokenBucketOptions>) {
    const { limit, clock } = options;
    this.tokens = limit.capacity;
    this.rate = limit.refillPerSecond;
    this.refilledAt = clock.now();
  }

  /** A full bucket. */
  static create(options: TokenBucketOptions): TokenBucket {
    return new TokenBucket({ arrivesWithinMs: 0, ...options });
  }

  /**
   * Resolves when the caller may make one call.
   * @param options.owner the owner of the call; owners take turns
   * @throws the signal's reason when `signal` aborts first, and NotWantedError if the call is no longer
   * wanted at its turn. Both release the place in the queue.
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

  /** The server throttled a call: its bucket is empty, so this one is emptied too. */
  throttled(): void {
    this.refill();
    this.tokens = 0;
    const { limit, clock } = this.options;
    if (clock.now() - this.cutAt >= CUT_INTERVAL_MS) {
      this.cutAt = clock.now();
      this.rate = Math.max(this.rate / 2, limit.refillPerSecond * SLOWEST_PART);
    }
    this.admitWaiters();
  }

  /** The server accepted a call: restores a part of a reduced rate. */
  succeeded(): void {
    const full = this.options.limit.refillPerSecond;
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
      fullRate: this.options.limit.refillPerSecond,
      waiting: this.waiters.size,
    };
  }

  private refill(): void {
    const now = this.options.clock.now();
    for (let first = this.arrivals[0]; this.hasArrived(first, now); first = this.arrivals[0]) {
      this.refillUntil(Math.min(first, now));
      this.arrivals.shift();
    }
    this.refillUntil(now);
  }

  private refillUntil(time: number): void {
    const { capacity } = this.options.limit;
    const elapsedSeconds = Math.max(0, time - this.refilledAt) / 1_000;
    this.tokens = Math.min(
      capacity - this.arrivals.length,
      this.tokens + elapsedSeconds * this.rate,
    );
    this.refilledAt = time;
  }

  /** Also true where the clock went back, so that no call counts as under way for longer than it can be. */
  private hasArrived(arrivesBy: number | undefined, now: number): arrivesBy is number {
    const { arrivesWithinMs } = this.options;
    return arrivesBy !== undefined && (arrivesBy <= now || arrivesBy > now + arrivesWithinMs);
  }

  private admitWaiters(): void {
    const { clock, arrivesWithinMs } = this.options;
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
      if (arrivesWithinMs > 0) this.arrivals.push(clock.now() + arrivesWithinMs);
      waiter.admit();
    }
    if (this.waiters.size === 0) return;
    const untilNextMs = Math.ceil(((1 - this.tokens) / this.rate) * 1_000);
    this.timer = clock.after(untilNextMs, () => this.admitWaiters());
  }
}

/** The call was not sent: when its turn came, it was no longer wanted. */
export class NotWantedError extends Error {
  override name = 'NotWantedError';

  constructor() {
    super('The call is no longer wanted');
  }
}

/** A token bucket's size (calls) and refill (calls per second). */
export interface RateLimit {
  capacity: number;
  refillPerSecond: number;
}
