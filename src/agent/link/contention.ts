import type { Clock } from '../../runtime/clock.js';

/** Reversals within {@link WINDOW_MS} after which the agent stops for a while. */
const MAX_REVERSALS = 3;
const WINDOW_MS = 60_000;
/** How long it stops the first time; the time doubles with each repetition. */
const FIRST_HOLD_MS = 60_000;
const LONGEST_HOLD_MS = 900_000;

interface Conflict {
  /** What the agent sets and another program undoes. */
  desiredKey: string;
  /** When another program last undid it, in milliseconds since the epoch; those within the window. */
  reversals: number[];
  holdMs: number;
  heldUntil: number;
}

/**
 * Keeps the agent and another program from undoing each other's settings in a loop: after three reversals in a
 * minute the agent leaves the interface alone, and tries again after 1 minute, then 2, then 4, up to 15.
 */
export class Contention {
  private readonly conflicts = new Map<string, Conflict>();

  constructor(private readonly clock: Clock) {}

  /**
   * How many more milliseconds to leave the interface alone; 0 if there is no conflict.
   * @param desiredKey serialized desired state; a change ends the wait
   */
  heldFor(key: string, desiredKey: string): number {
    const conflict = this.conflicts.get(key);
    return conflict?.desiredKey === desiredKey
      ? Math.max(0, conflict.heldUntil - this.clock.now())
      : 0;
  }

  /** Records that another program undid what the agent set. Returns whether the agent now stops. */
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

  /** Call when the attachment is deleted. */
  forget(key: string): void {
    this.conflicts.delete(key);
  }
}
