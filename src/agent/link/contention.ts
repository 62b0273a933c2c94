import type { Clock } from '../../runtime/clock.js';

/** Reversals within {@link WINDOW_MS} after which the other side is let win, for a while. */
const MAX_REVERSALS = 3;
const WINDOW_MS = 60_000;
/** How long hands are kept off after that; it doubles with each time it happens again. */
const FIRST_HOLD_MS = 60_000;
const LONGEST_HOLD_MS = 900_000;

interface Quarrel {
  /** What we set, and another program undoes. */
  wish: string;
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
  private readonly quarrels = new Map<string, Quarrel>();

  constructor(private readonly clock: Clock) {}

  /**
   * Milliseconds for which the interface is to be left alone yet; 0: not at all.
   * @param wish what is asked for now: of another than was quarrelled about, the other side knows nothing
   */
  heldFor(key: string, wish: string): number {
    const quarrel = this.quarrels.get(key);
    return quarrel?.wish === wish ? Math.max(0, quarrel.heldUntil - this.clock.now()) : 0;
  }

  /** Somebody has undone what was set. Returns whether that was once too often. */
  reversed(key: string, wish: string): boolean {
    const now = this.clock.now();
    const known = this.quarrels.get(key);
    const quarrel =
      known?.wish === wish ? known : { wish, reversals: [], holdMs: FIRST_HOLD_MS, heldUntil: 0 };
    this.quarrels.set(key, quarrel);
    if (now - quarrel.heldUntil > LONGEST_HOLD_MS) quarrel.holdMs = FIRST_HOLD_MS;
    quarrel.reversals = [...quarrel.reversals.filter((at) => at > now - WINDOW_MS), now];
    if (quarrel.reversals.length < MAX_REVERSALS) return false;
    quarrel.heldUntil = now + quarrel.holdMs;
    quarrel.holdMs = Math.min(2 * quarrel.holdMs, LONGEST_HOLD_MS);
    quarrel.reversals = [];
    return true;
  }

  /** The interface is no longer asked for. */
  forget(key: string): void {
    this.quarrels.delete(key);
  }
}
