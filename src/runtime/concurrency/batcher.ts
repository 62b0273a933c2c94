import type { Clock, Timer } from '../clock.js';

export interface BatcherOptions<K, V> {
  /** Fetches the values of many keys with one request; unknown keys are absent from the map. */
  fetch: (keys: K[]) => Promise<ReadonlyMap<K, V>>;
  clock: Clock;
  /** How long the first load waits for others to join its batch, in milliseconds. */
  gatherMs: number;
  /** The minimum time between the starts of two batches, in milliseconds. */
  minIntervalMs: number;
  /**
   * Batches that may start without that time between them, after an idle period as long as they would take.
   * Default: 1.
   */
  burst?: number;
  /** A batch of at least so many keys starts without that time, and does not count for it. Default: none does. */
  unpacedFrom?: number;
  /** The maximum of keys per fetch; a larger batch is fetched in parts that start together. */
  maxBatch: number;
}

interface Load<V> {
  resolve(value: V | undefined): void;
  reject(reason: unknown): void;
}

/**
 * Combines many loads into one request: loads gather into a batch, which requests each key once. A load only
 * joins a batch that has not started, so its value is never older than its call.
 */
export class Batcher<K, V> {
  private waiting = new Map<K, Load<V>[]>();
  /** The generic cell rate algorithm's theoretical arrival time. */
  private dueAt = Number.NEGATIVE_INFINITY;
  private timer: Timer | undefined;

  private constructor(private readonly options: BatcherOptions<K, V>) {}

  static create<K, V>(options: BatcherOptions<K, V>): Batcher<K, V> {
    return new Batcher(options);
  }

  /**
   * The key's value, or undefined if the source does not know it.
   * @throws the error of the fetch for its part of the batch.
   */
  load(key: K): Promise<V | undefined> {
    const { clock, gatherMs, minIntervalMs, burst = 1, unpacedFrom } = this.options;
    return new Promise((resolve, reject) => {
      const loads = this.waiting.get(key) ?? [];
      loads.push({ resolve, reject });
      this.waiting.set(key, loads);
      if (loads.length > 1) return;
      const untilAllowed = this.dueAt - (burst - 1) * minIntervalMs - clock.now();
      if (this.waiting.size === 1) this.startAfter(Math.max(gatherMs, untilAllowed));
      else if (this.waiting.size === unpacedFrom && untilAllowed > gatherMs) {
        this.startAfter(gatherMs);
      }
    });
  }

  private startAfter(ms: number): void {
    this.timer?.cancel();
    this.timer = this.options.clock.after(ms, () => this.startBatch());
  }

  private startBatch(): void {
    const { clock, minIntervalMs, unpacedFrom = Number.POSITIVE_INFINITY } = this.options;
    const batch = [...this.waiting];
    this.waiting = new Map();
    if (batch.length < unpacedFrom) {
      this.dueAt = Math.max(clock.now(), this.dueAt) + minIntervalMs;
    }
    for (let from = 0; from < batch.length; from += this.options.maxBatch) {
      void this.fetchPart(new Map(batch.slice(from, from + this.options.maxBatch)));
    }
  }

  private async fetchPart(part: ReadonlyMap<K, Load<V>[]>): Promise<void> {
    try {
      const values = await this.options.fetch([...part.keys()]);
      for (const [key, loads] of part) for (const load of loads) load.resolve(values.get(key));
    } catch (error) {
      for (const load of [...part.values()].flat()) load.reject(error);
    }
  }
}
