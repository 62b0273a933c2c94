export interface BackoffOptions {
  /** The first delay, in milliseconds. */
  baseMs: number;
  /** The longest delay, in milliseconds. */
  maxMs: number;
  /** Each delay is this many times the previous one. Default: 2. */
  factor?: number;
  /**
   * Up to this fraction of a delay is added at random, so that many clients do not return together. Default:
   * 0.
   */
  jitter?: number;
  /** At least 0, below 1. Needed for jitter only. */
  random?: () => number;
}

/** Growing delays per key: `base × factorⁿ`, capped. */
export class ExponentialBackoff {
  private readonly failures = new Map<string, number>();

  private constructor(private readonly options: BackoffOptions) {}

  static create(options: BackoffOptions): ExponentialBackoff {
    return new ExponentialBackoff(options);
  }

  /** Counts a failure of `key`; returns the milliseconds to wait before the next attempt. */
  next(key: string): number {
    const { baseMs, maxMs, factor = 2, jitter = 0, random = Math.random } = this.options;
    const failures = this.attempts(key);
    this.failures.set(key, failures + 1);
    const delay = Math.min(baseMs * factor ** failures, maxMs);
    return jitter === 0 ? delay : delay * (1 + jitter * random());
  }

  /** The next delay of `key` is the first one again. */
  forget(key: string): void {
    this.failures.delete(key);
  }

  /** Failures counted since the key was last forgotten. */
  attempts(key: string): number {
    return this.failures.get(key) ?? 0;
  }
}
