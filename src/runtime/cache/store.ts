import { KeyIndex } from './key-index.js';

/** What reconcilers read: the latest known state of a kind's objects. Treat the objects as frozen. */
export interface Store<T> {
  readonly size: number;
  get(key: string): T | undefined;
  has(key: string): boolean;
  list(): T[];
  /**
   * The objects for which the index `name` yields `value`.
   * @throws UnknownIndexError if no such index was declared.
   */
  byIndex(name: string, value: string): T[];
}

/** Index functions by name: each returns the values under which an object is found. */
export type Indexes<T> = Record<string, (object: T) => string[]>;

/** A lookup by an index that was never declared: a bug in the program. */
export class UnknownIndexError extends Error {
  override name = 'UnknownIndexError';

  constructor(readonly index: string) {
    super(`No index "${index}" is declared for this store`);
  }
}

/** A writable {@link Store}: objects by key, and by index value. */
export class IndexedStore<T> implements Store<T> {
  private readonly objects = new Map<string, T>();
  /** By name. */
  private readonly indexed: ReadonlyMap<string, KeyIndex>;

  private constructor(private readonly indexes: Indexes<T>) {
    this.indexed = new Map(Object.keys(indexes).map((name) => [name, new KeyIndex()]));
  }

  static create<T>(options: { indexes?: Indexes<T> | undefined } = {}): IndexedStore<T> {
    return new IndexedStore(options.indexes ?? {});
  }

  get size(): number {
    return this.objects.size;
  }

  get(key: string): T | undefined {
    return this.objects.get(key);
  }

  has(key: string): boolean {
    return this.objects.has(key);
  }

  list(): T[] {
    return [...this.objects.values()];
  }

  keys(): string[] {
    return [...this.objects.keys()];
  }

  byIndex(name: string, value: string): T[] {
    const index = this.indexed.get(name);
    if (index === undefined) throw new UnknownIndexError(name);
    const found: T[] = [];
    for (const key of index.get(value)) {
      const object = this.objects.get(key);
      if (object !== undefined) found.push(object);
    }
    return found;
  }

  /** Adds or replaces the object of a key. */
  put(key: string, object: T): void {
    const old = this.objects.get(key);
    if (old !== undefined) this.unindex(key, old);
    this.objects.set(key, object);
    this.index(key, object);
  }

  delete(key: string): void {
    const old = this.objects.get(key);
    if (old === undefined) return;
    this.unindex(key, old);
    this.objects.delete(key);
  }

  private index(key: string, object: T): void {
    for (const [name, index] of this.indexed) {
      for (const value of this.valuesOf(name, object)) index.add(value, key);
    }
  }

  private unindex(key: string, object: T): void {
    for (const [name, index] of this.indexed) {
      for (const value of this.valuesOf(name, object)) index.delete(value, key);
    }
  }

  private valuesOf(name: string, object: T): string[] {
    return this.indexes[name]?.(object) ?? [];
  }
}
