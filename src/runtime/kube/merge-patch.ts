/**
 * The JSON merge patch (RFC 7396) that turns `from` into `to`: members that `to` lacks become null, arrays
 * are replaced as a whole, undefined members count as absent.
 * @returns undefined if nothing changes.
 */
export function mergePatch(from: object | undefined, to: object): object | undefined {
  const before = from as JsonObject | undefined;
  const after = to as JsonObject;
  let patch: JsonObject | undefined;
  const change = (name: string, value: unknown) => {
    patch ??= {};
    patch[name] = value;
  };
  for (const name in before) {
    if (member(before, name) !== undefined && member(after, name) === undefined) change(name, null);
  }
  for (const name in after) {
    const value = member(after, name);
    if (value === undefined) continue;
    const old = member(before, name);
    if (isRecord(value) && isRecord(old)) {
      const inner = mergePatch(old, value);
      if (inner !== undefined) change(name, inner);
    } else if (!isEqual(old, value)) {
      change(name, value);
    }
  }
  return patch;
}

type JsonObject = Record<string, unknown>;

/** An own member: a user's key can be `constructor`. */
function member(object: JsonObject | undefined, name: string): unknown {
  return object !== undefined && Object.hasOwn(object, name) ? object[name] : undefined;
}

function isRecord(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Compares as JSON: members that are undefined do not count, and neither does the order of members. */
function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((value, index) => isEqual(value, b[index]));
  }
  if (!isRecord(a) || !isRecord(b)) return false;
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => isEqual(a[name], b[name]));
}

/** The object without its undefined members, as after a JSON round trip. */
export function definedOnly<T extends object>(object: { [K in keyof T]: T[K] | undefined }): T {
  const defined: JsonObject = {};
  for (const [name, value] of Object.entries(object)) {
    if (value !== undefined) defined[name] = value;
  }
  return defined as unknown as T;
}
