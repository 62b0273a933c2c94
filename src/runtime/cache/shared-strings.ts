/** Many more than objects repeat; then the table starts over, so that it never holds what is long gone. */
const MAX_KNOWN = 4_096;
/** Longer ones are messages about one object. */
const MAX_LENGTH = 64;

/**
 * Keeps one copy of equal strings in memory. Lists repeat a subnet, a reason or a time in thousands of objects, and
 * each parser creates a new string for each.
 */
export class SharedStrings {
  private readonly known = new Map<string, string>();

  /** The equal string that was seen first. */
  share(text: string): string {
    const known = this.known.get(text);
    if (known !== undefined) return known;
    if (text.length > MAX_LENGTH) return text;
    if (this.known.size === MAX_KNOWN) this.known.clear();
    this.known.set(text, text);
    return text;
  }

  /** Shares all strings of a JSON value, in place. A frozen object stays as it is. */
  shareIn<T extends object>(json: T): T {
    if (Object.isFrozen(json)) return json;
    const members = json as Record<string, unknown>;
    for (const name of Object.keys(members)) {
      const value = members[name];
      if (typeof value === 'string') members[name] = this.share(value);
      else if (typeof value === 'object' && value !== null) this.shareIn(value);
    }
    return json;
  }
}
