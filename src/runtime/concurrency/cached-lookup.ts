import type { Clock } from '../clock.js';

export interface CachedLookupOptions<V> {
  /** Fetches the values of many keys with one request; a key may have several values, or be absent. */
  fetch: (keys: string[]) => Promise<ReadonlyMap<string, V[]>>;
  clock: Clock;
  /** How long a found value stays valid, in milliseconds. */
  ttlMs: number;
}

/**
 * Caches found values. Keys that were not found are fetched each time, so that an object created a moment ago
 * is seen; a key whose fetch is in flight is not fetched twice.
 */
export class CachedLookup<V> {
  private readonly found = new Map<string, { values: V[]; expiresAt: number }>();
  private readonly inFlight = new Map<string, Promise<V[]>>();

  private constructor(private readonly options: CachedLookupOptions<V>) {}

  static create<V>(options: CachedLookupOptions<V>): CachedLookup<V> {
    return new CachedLookup(options);
  }

  /**
   * The values of the keys, in the keys' order.
   * @throws the error of `fetch`.
   */
  async get(keys: readonly string[]): Promise<V[]> {
    const missing = [...new Set(keys)].filter((key) => !this.fresh(key) && !this.inFlight.has(key));
    if (missing.length > 0) this.request(missing);
    const values = keys.map((key) => this.fresh(key) ?? this.inFlight.get(key) ?? []);
    return (await Promise.all(values)).flat();
  }

  private fresh(key: string): V[] | undefined {
    const entry = this.found.get(key);
    return entry && this.options.clock.now() < entry.expiresAt ? entry.values : undefined;
  }

  private request(keys: string[]): void {
    const answer = this.fetchAndRemember(keys);
    for (const key of keys) {
      this.inFlight.set(
        key,
        answer.then((values) => values.get(key) ?? []),
      );
    }
  }

  private async fetchAndRemember(keys: string[]): Promise<ReadonlyMap<string, V[]>> {
    const expiresAt = this.options.clock.now() + this.options.ttlMs;
    try {
      const answer = await this.options.fetch(keys);
      for (const key of keys) {
        const values = answer.get(key) ?? [];
        if (values.length > 0) this.found.set(key, { values, expiresAt });
        else this.found.delete(key);
      }
      return answer;
    } finally {
      for (const key of keys) this.inFlight.delete(key);
    }
  }
}
