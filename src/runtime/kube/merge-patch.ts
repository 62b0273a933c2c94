/**
 * The JSON merge patch (RFC 7396) that turns `from` into `to`: members that `to` lacks become null, arrays
 * are replaced as a whole, undefined members count as absent.
 * @returns undefined if nothing changes.
 */
export function mergePatch(from: object | undefined, to: object): object | undefined {
  const before = new Map(Object.entries(from ?? {}).filter(isSet));
  const after = new Map(Object.entries(to).filter(isSet));
  const patch: Record<string, unknown> = {};
  for (const name of before.keys()) {
    if (!after.has(name)) patch[name] = null;
  }
  for (const [name, value] of after) {
    const old = before.get(name);
    if (isRecord(value) && isRecord(old)) {
      const inner = mergePatch(old, value);
      if (inner !== undefined) patch[name] = inner;
    } else if (!isEqual(old, value)) {
      patch[name] = value;
    }
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

function isSet([, value]: [string, unknown]): boolean {
  return value !== undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
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
  return Object.fromEntries(
    Object.entries(object).filter(([, value]) => value !== undefined),
  ) as unknown as T;
}
