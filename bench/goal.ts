import { type Clock, sleep } from '../src/runtime/clock.js';

/** A count that must reach a number exactly: an ENI too many is an error too. */
export interface Goal {
  /** What is counted, for progress lines. */
  what: string;
  target: number;
  count(): number | Promise<number>;
}

export interface ReachOptions {
  clock: Clock;
  /** Ends the wait. */
  signal: AbortSignal;
  /** Called with each count. */
  onCount?: (count: number) => void;
}

/** Shortest time between two looks, in milliseconds. */
const MIN_INTERVAL_MS = 20;
/** Looking takes machine time from what is measured: at most a tenth of it. */
const PAUSE_PER_LOOK = 9;

/**
 * Polls until the goal is reached. Polls that take long are rarer: the returned time
 * is late by up to ten times what one look takes, and at least 20 ms.
 * @returns the clock's milliseconds at which the goal was seen to be reached
 * @throws the signal's reason when it aborts first
 */
export async function reach(goal: Goal, { clock, signal, onCount }: ReachOptions): Promise<number> {
  for (;;) {
    const begun = clock.now();
    const count = await goal.count();
    const now = clock.now();
    onCount?.(count);
    if (count === goal.target) {
      return now;
    }
    await sleep(clock, Math.max(MIN_INTERVAL_MS, (now - begun) * PAUSE_PER_LOOK), signal);
  }
}
