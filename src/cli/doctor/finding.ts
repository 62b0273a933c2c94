import { firstFew } from '../../runtime/message-text.js';

/** A result of doctor. */
export interface Finding {
  /**
   * `problem`: something does not work. `warning`: it will stop working, or works differently than intended.
   * `unknown`: could not be read.
   */
  severity: 'problem' | 'warning' | 'unknown';
  /** Name of the check. */
  check: string;
  /** What it is about: `Node ip-10-0-1-7`. */
  where: string;
  /** A sentence. */
  what: string;
  /** What to do, as sentences. */
  remedy: string;
  /** A page of this project's documentation, from its root, with the heading. */
  link: string;
}

/** A read that may have failed: doctor continues without it. */
export type Answer<T> = { value: T } | { failure: string };

/** Names of objects, of which a finding lists the first few. */
export function named(names: readonly string[], max = 3): string {
  return firstFew([...new Set(names)].sort(), max);
}
