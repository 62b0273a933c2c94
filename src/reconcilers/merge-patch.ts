/**
 * The JSON merge patch (RFC 7386) that turns `old`'s top level into `next`'s: what `next` lacks is null.
 * Members that are equal are left out, so that writers of different members do not meet.
 */
export function mergePatchOf(old: object, next: object): Record<string, unknown> {
  const before: Record<string, unknown> = { ...old };
  const after: Record<string, unknown> = { ...next };
  const patch: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (JSON.stringify(before[key]) !== JSON.stringify(after[key])) {
      patch[key] = after[key] ?? null;
    }
  }
  return patch;
}
