/**
 * Order of resourceVersions. Kubernetes promises that those of one resource compare as integers (KEP-5504);
 * they have no leading zeros, so that the longer one is the greater, and equal lengths compare as text.
 * The empty string comes before all.
 * @returns below zero, zero, above zero: `a` is older, the same, newer.
 */
export function compareResourceVersions(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** True where `a` is newer than `b`. */
export function isNewer(a: string, b: string): boolean {
  return compareResourceVersions(a, b) > 0;
}
