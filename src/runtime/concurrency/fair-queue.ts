/**
 * A queue that serves owners in turn, and each owner's items in order: one with a thousand items waits for
 * another with two, and not the other way round.
 */
export class FairQueue<T> {
  /** Owner → its items. The first owner is the next to be served. */
  private readonly byOwner = new Map<string, Set<T>>();

  get size(): number {
    let size = 0;
    for (const items of this.byOwner.values()) size += items.size;
    return size;
  }

  add(owner: string, item: T): void {
    const items = this.byOwner.get(owner);
    if (items) items.add(item);
    else this.byOwner.set(owner, new Set([item]));
  }

  /** Takes the next item out; undefined where there is none. */
  shift(): T | undefined {
    for (const [owner, items] of this.byOwner) {
      this.byOwner.delete(owner);
      for (const item of items) {
        items.delete(item);
        if (items.size > 0) this.byOwner.set(owner, items);
        return item;
      }
    }
    return undefined;
  }

  /** Takes an item out of its turn. */
  delete(owner: string, item: T): void {
    const items = this.byOwner.get(owner);
    items?.delete(item);
    if (items?.size === 0) this.byOwner.delete(owner);
  }
}

/** At most so many tasks at once; where tasks have to wait, owners take turns. */
export class FairLimit {
  private readonly waiting = new FairQueue<() => void>();
  private running = 0;

  constructor(private readonly concurrency: number) {}

  /** Runs the task when there is room. Settles as the task does. */
  async run<T>(owner: string, task: () => Promise<T>): Promise<T> {
    if (this.running >= this.concurrency) {
      await new Promise<void>((resolve) => this.waiting.add(owner, resolve));
    } else {
      this.running += 1;
    }
    try {
      return await task();
    } finally {
      const next = this.waiting.shift();
      // The place goes from hand to hand: nobody slips in between.
      if (next) next();
      else this.running -= 1;
    }
  }
}
