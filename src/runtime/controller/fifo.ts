/** A first-in, first-out queue whose `shift` does not move the elements behind it. */
export class Fifo<T> {
  private items: T[] = [];
  private head = 0;

  get length(): number {
    return this.items.length - this.head;
  }

  push(item: T): void {
    this.items.push(item);
  }

  /** The oldest element, taken out; undefined where there is none. */
  shift(): T | undefined {
    const item = this.items[this.head];
    if (this.length === 0) return undefined;
    this.head += 1;
    // Half of the array is dead: copying the rest costs one step for each element taken since the last copy.
    if (this.head * 2 >= this.items.length) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
    return item;
  }
}
