/** Keys by value. Most values have one key: it is kept without a set, which takes 150 bytes. */
export class KeyIndex {
  private readonly keys = new Map<string, string | Set<string>>();

  /** The value's keys, the one added first at the beginning. */
  get(value: string): string[] {
    const found = this.keys.get(value);
    if (found === undefined) return [];
    return typeof found === 'string' ? [found] : [...found];
  }

  add(value: string, key: string): void {
    const present = this.keys.get(value);
    if (present === undefined) this.keys.set(value, key);
    else if (typeof present !== 'string') present.add(key);
    else if (present !== key) this.keys.set(value, new Set([present, key]));
  }

  delete(value: string, key: string): void {
    const present = this.keys.get(value);
    if (present === key) this.keys.delete(value);
    if (!(present instanceof Set)) return;
    present.delete(key);
    const [left] = present;
    if (left !== undefined && present.size === 1) this.keys.set(value, left);
  }
}
