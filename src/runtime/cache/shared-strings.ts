/** A power of 2, and far more than objects repeat: few of these fall on the same place of the table. */
const PLACES = 4_096;
/** JSON.parse shares shorter ones itself. */
const MIN_LENGTH = 10;
/** Characters that decide on a string's place. */
const HASHED = 8;
/** Longer ones are messages about one object. */
const MAX_LENGTH = 64;

/**
 * Keeps one copy of equal strings in memory. Lists repeat a subnet, a reason or a time in thousands of objects, and
 * each parser creates a new string for each. A place of the table has the last string that fell on it, so the table
 * stays small, and costs no more than a comparison for a string that is not repeated.
 */
export class SharedStrings {
  private readonly table = new Array<string>(PLACES).fill('');

  /** The equal string that was seen before, if it is still known. */
  share(text: string): string {
    if (text.length > MAX_LENGTH) return text;
    const place = placeOf(text);
    const known = this.table[place];
    if (known === text) return known;
    this.table[place] = text;
    return text;
  }

  /** Shares all strings of a value from JSON.parse, in place. A frozen object stays as it is. */
  shareIn<T extends object>(json: T): T {
    if (Object.isFrozen(json)) return json;
    if (Array.isArray(json)) {
      for (let index = 0; index < json.length; index += 1) json[index] = this.shared(json[index]);
    } else {
      const members = json as Record<string, unknown>;
      for (const name in members) members[name] = this.shared(members[name]);
    }
    return json;
  }

  private shared(value: unknown): unknown {
    if (typeof value === 'string') return value.length < MIN_LENGTH ? value : this.share(value);
    return typeof value === 'object' && value !== null ? this.shareIn(value) : value;
  }
}

/** By the end of the text, where ids, times and names differ. */
function placeOf(text: string): number {
  const { length } = text;
  let hash = length;
  for (let at = Math.max(0, length - HASHED); at < length; at += 1) {
    hash = Math.imul(hash, 31) + text.charCodeAt(at);
  }
  return hash & (PLACES - 1);
}
