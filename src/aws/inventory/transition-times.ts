import type { Eni } from '../ec2-gateway.js';

/** What EC2 does to an ENI after it answered the call. */
export type Transition = 'attach' | 'detach';

export const TRANSITIONS: readonly Transition[] = ['attach', 'detach'];

interface Started {
  transition: Transition;
  /** Milliseconds. */
  at: number;
  /** Start of the newest read that showed it under way; undefined: no read did. */
  lastReadAt: number | undefined;
}

/** Weight of the newest transition in the expected time. */
const NEWEST_WEIGHT = 0.2;
/** A transition that hangs counts as this many times the expected time at most. */
const MAX_FACTOR = 3;
/** The shortest bound for what a transition counts, in milliseconds. */
const MIN_BOUND_MS = 1_000;
/** A transition that took longer than expected is read again when it has taken this many times as long. */
const NEXT_READ_FACTOR = 1.5;
/** The shortest and the longest time between two reads of the same transition, in milliseconds. */
const MIN_PAUSE_MS = 250;
const MAX_PAUSE_MS = 5_000;

/**
 * How long EC2 takes to attach and detach ENIs after it answered the call, learned from the reads of this process: an
 * exponentially weighted mean. A read only shows whether a transition is over, so each counts as over in the middle
 * between the last read that showed it under way and the first that did not.
 */
export class TransitionTimes {
  private readonly started = new Map<string, Started>();
  private readonly expected: Record<Transition, number | undefined> = {
    attach: undefined,
    detach: undefined,
  };

  /** Milliseconds; undefined before the first transition. */
  expectedMs(transition: Transition): number | undefined {
    return this.expected[transition];
  }

  /** EC2 answered the call that starts the transition at `at` (milliseconds). */
  start(eniId: string, transition: Transition, at: number): void {
    this.started.set(eniId, { transition, at, lastReadAt: undefined });
  }

  /** A read that began at `begun` (milliseconds) shows the ENI; undefined: EC2 no longer has it. */
  read(eniId: string, eni: Eni | undefined, begun: number): void {
    const started = this.started.get(eniId);
    if (!started || begun < started.at) return;
    if (eni && transitionOf(eni) === started.transition) {
      started.lastReadAt = begun;
      return;
    }
    this.started.delete(eniId);
    if (eni && isOver(eni, started.transition)) this.learn(started, begun);
  }

  /**
   * When to read the ENI to see its transition over, in milliseconds: when half of such transitions are over, and later
   * by what it has taken already. One that is in no transition is as EC2's reads may still show it: a little later.
   * @param now milliseconds
   */
  readAt(eniId: string, eni: Eni, now: number): number {
    const transition = transitionOf(eni);
    if (!transition) return now + MIN_PAUSE_MS;
    let started = this.started.get(eniId);
    if (started?.transition !== transition) {
      // An earlier process or another program began it.
      started = { transition, at: now, lastReadAt: undefined };
      this.started.set(eniId, started);
    }
    const { at, lastReadAt } = started;
    if (lastReadAt === undefined) return at + (this.expected[transition] ?? 0);
    const pause = (lastReadAt - at) * (NEXT_READ_FACTOR - 1);
    return lastReadAt + Math.min(Math.max(pause, MIN_PAUSE_MS), MAX_PAUSE_MS);
  }

  private learn({ transition, at, lastReadAt = at }: Started, begun: number): void {
    const took = (lastReadAt + begun) / 2 - at;
    const expected = this.expected[transition];
    if (expected === undefined) {
      this.expected[transition] = Math.min(took, MAX_PAUSE_MS);
      return;
    }
    const bound = Math.max(expected * MAX_FACTOR, MIN_BOUND_MS);
    this.expected[transition] = expected + NEWEST_WEIGHT * (Math.min(took, bound) - expected);
  }
}

/** What EC2 is doing to the ENI. */
function transitionOf({ attachment }: Eni): Transition | undefined {
  if (attachment?.status === 'attaching') return 'attach';
  return attachment?.status === 'detaching' ? 'detach' : undefined;
}

function isOver({ attachment, status }: Eni, transition: Transition): boolean {
  return transition === 'attach' ? attachment?.status === 'attached' : status === 'available';
}
