import type { Clock } from '../clock.js';

export interface BatcherOptions<K, V> {
  /** Answers many keys with one request; what it does not know is absent from the map. */
  fetch: (keys: K[]) => Promise<ReadonlyMap<K, V>>;
  clock: Clock;
  /** How long the first load waits for others to join it, in milliseconds. */
  gatherMs: number;
  /** The time between the starts of two batches, in milliseconds. */
  minIntervalMs: number;
  /** Batches that may start without that time between them, after a rest as long as they would take. Default: 1. */
  burst?: number;
  /** The most keys a fetch takes; a batch of more is fetched in parts that start together. */
  maxBatch: number;
}

interface Load<V> {
  resolve(value: V | undefined): void;
  reject(reason: unknown): void;
}

/**
 * Many questions, one request: loads gather into a batch, which asks for each key once. A load only joins
 * a batch that has not started, so its answer is newer than its call.
 */
export class Batcher<K, V> {
  private waiting = new Map<K, Load<V>[]>();
  /** When the pace would be kept exactly (the generic cell rate algorithm's theoretical arrival time). */
  private dueAt = Number.NEGATIVE_INFINITY;

  private constructor(private readonly options: BatcherOptions<K, V>) {}

  static create<K, V>(options: BatcherOptions<K, V>): Batcher<K, V> {
    return new Batcher(options);
  }

  /**
   * The key's value, or undefined where the source does not know it.
   * @throws whatever the fetch of its part of the batch threw.
   */
  load(key: K): Promise<V | undefined> {
    if (this.waiting.size === 0) this.schedule();
    return new Promise((resolve, reject) => {
      const loads = this.waiting.get(key) ?? [];
      loads.push({ resolve, reject });
      this.waiting.set(key, loads);
    });
  }

  private schedule(): void {
    const { clock, gatherMs, minIntervalMs, burst = 1 } = this.options;
    const untilAllowed = this.dueAt - (burst - 1) * minIntervalMs - clock.now();
    clock.after(Math.max(gatherMs, untilAllowed), () => this.startBatch());
  }

  private startBatch(): void {
    const { clock, minIntervalMs } = this.options;
    this.dueAt = Math.max(clock.now(), this.dueAt) + minIntervalMs;
    const batch = [...this.waiting];
    this.waiting = new Map();
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
