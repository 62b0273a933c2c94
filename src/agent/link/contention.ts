import type { Clock } from '../../runtime/clock.js';

/** Reversals within {@link WINDOW_MS} after which the other side is let win, for a while. */
const MAX_REVERSALS = 3;
const WINDOW_MS = 60_000;
/** How long hands are kept off after that; it doubles with each time it happens again. */
const FIRST_HOLD_MS = 60_000;
const LONGEST_HOLD_MS = 900_000;

interface Conflict {
  /** What we set, and another program undoes. */
  desiredKey: string;
  /** When somebody undid what we had set, the last ones. Milliseconds since the epoch. */
  reversals: number[];
  holdMs: number;
  heldUntil: number;
}

/**
 * Two programs that undo each other's settings are told of, not looped over: after three reversals in a
 * minute the interface is left as the other one wants it, and tried again after a minute, two, four …
 */
export class Contention {
  private readonly conflicts = new Map<string, Conflict>();

  constructor(private readonly clock: Clock) {}

  /**
   * Milliseconds for which the interface is to be left alone yet; 0: not at all.
   * @param desiredKey what is asked for now: of another than was quarrelled about, the other side knows nothing
   */
  heldFor(key: string, desiredKey: string): number {
    const conflict = this.conflicts.get(key);
    return conflict?.desiredKey === desiredKey
      ? Math.max(0, conflict.heldUntil - this.clock.now())
      : 0;
  }

  /** Somebody has undone what was set. Returns whether that was once too often. */
  reversed(key: string, desiredKey: string): boolean {
    const now = this.clock.now();
    const known = this.conflicts.get(key);
    const conflict =
      known?.desiredKey === desiredKey
        ? known
        : { desiredKey, reversals: [], holdMs: FIRST_HOLD_MS, heldUntil: 0 };
    this.conflicts.set(key, conflict);
    if (now - conflict.heldUntil > LONGEST_HOLD_MS) conflict.holdMs = FIRST_HOLD_MS;
    conflict.reversals = [...conflict.reversals.filter((at) => at > now - WINDOW_MS), now];
    if (conflict.reversals.length < MAX_REVERSALS) return false;
    conflict.heldUntil = now + conflict.holdMs;
    conflict.holdMs = Math.min(2 * conflict.holdMs, LONGEST_HOLD_MS);
    conflict.reversals = [];
    return true;
  }

  /** The interface is no longer asked for. */
  forget(key: string): void {
    this.conflicts.delete(key);
  }
}
