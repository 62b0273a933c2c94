/**
 * A queue that serves owners in turn, and each owner's items in order: an owner with a thousand items does
 * not delay one with two.
 */
export class FairQueue<T> {
  /** Owner → its items. The first owner is served next. */
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

  /** Removes and returns the next item; undefined if the queue is empty. */
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

  /** Removes an item out of turn. */
  delete(owner: string, item: T): void {
    const items = this.byOwner.get(owner);
    items?.delete(item);
    if (items?.size === 0) this.byOwner.delete(owner);
  }
}

/** Limits how many tasks run at the same time; when tasks have to wait, owners take turns. */
export class FairLimit {
  private readonly waiting = new FairQueue<() => void>();
  private running = 0;

  constructor(private readonly concurrency: number) {}

  /** Runs the task when a slot is free. Settles as the task does. */
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
      // The slot passes directly to the next task, so that no new call overtakes the queue.
      if (next) next();
      else this.running -= 1;
    }
  }
}
