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
