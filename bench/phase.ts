import { type Clock, sleep } from '../src/runtime/clock.js';
import { LATENCY_MS } from './conditions.js';
import { floorSeconds, type Write } from './floor.js';
import { type Goal, reach } from './goal.js';
import type { Goals } from './goals.js';
import type { Meter } from './meter.js';
import type { PhaseResult } from './results.js';

/** Shows how far a run is, on one line. */
export type Progress = (line: string) => void;

export interface PhaseOptions {
  name: string;
  /** ENIs that the change is about. */
  enis: number;
  /** The EC2 writes that each of them needs, in their order. */
  writes: readonly Write[];
  /** The part of EC2's rates that the controller may use. Default: 1. */
  share?: number;
  /** Whether others make such calls too, so that EC2's log does not show which were the controller's. */
  hasOthers?: boolean;
  /** Asks for the change. */
  ask: () => Promise<void>;
  goals: Goals;
  meter: Meter;
  clock: Clock;
  progress: Progress;
  /** Aborts when the controller ends or the user wants no more. */
  signal: AbortSignal;
}

/** A change that took this many times its floor, and a while, will not be done any more. */
const HOPELESS = { floors: 20, seconds: 120 };
const PROGRESS_INTERVAL_MS = 2_000;
/** What is reported after the last goal (Events, a last status) belongs to the change. */
const AFTERMATH_MS = 2_000;

/** A change was not done in a time in which anything would be. */
class PhaseTimeoutError extends Error {
  override readonly name = 'PhaseTimeoutError';

  constructor(phase: string, seconds: number, reached: string) {
    super(`${phase}: not done after ${Math.round(seconds)} s: ${reached}`);
  }
}

/**
 * Asks for a change and measures it until EC2, the ENIAttachments and the NodeENIs show that it is done.
 * @throws PhaseTimeoutError; the signal's reason
 */
export async function measurePhase(options: PhaseOptions): Promise<PhaseResult> {
  const {
    name,
    enis,
    writes,
    share = 1,
    hasOthers = false,
    ask,
    goals,
    meter,
    clock,
    progress,
  } = options;
  const floor = floorSeconds(writes, enis, { share });
  const limitSeconds = HOPELESS.seconds + HOPELESS.floors * floor;
  const counts = new Map<Goal, number>();
  const standing = (): string =>
    Object.values(goals)
      .map((goal) => `${counts.get(goal) ?? '?'}→${goal.target} ${goal.what}`)
      .join(', ');

  await meter.read();
  const begun = clock.now();
  const hopeless = new AbortController();
  const signal = AbortSignal.any([options.signal, hopeless.signal]);
  const ticker = setInterval(() => {
    const seconds = (clock.now() - begun) / 1_000;
    progress(`${name}: ${seconds.toFixed(0)} s, ${standing()}`);
    if (seconds > limitSeconds) {
      hopeless.abort(new PhaseTimeoutError(name, seconds, standing()));
    }
  }, PROGRESS_INTERVAL_MS);

  const seen = (goal: Goal): Promise<number> =>
    reach(goal, { clock, signal, onCount: (count) => counts.set(goal, count) });
  try {
    const [ec2Seen, attachmentsSeen, nodeENIsSeen] = await Promise.all([
      seen(goals.ec2),
      seen(goals.attachments),
      seen(goals.nodeENIs),
      ask(),
    ]);
    clearInterval(ticker);
    await sleep(clock, AFTERMATH_MS, signal);
    const answeredAt = hasOthers ? ec2Seen : ((await lastAnswerAt(writes, meter)) ?? ec2Seen);
    return {
      enis,
      floorSeconds: floor,
      ec2Seconds: (answeredAt - begun) / 1_000,
      attachmentsSeconds: (attachmentsSeen - begun) / 1_000,
      nodeENIsSeconds: (nodeENIsSeen - begun) / 1_000,
      ...(await meter.read()),
    };
  } finally {
    clearInterval(ticker);
  }
}

/**
 * When the last write was answered, in milliseconds since the epoch. The simulator does what a call asks for
 * when it comes in, and answers after the latency; the floor ends with the last answer, and so does the time
 * that is compared with it. Its log is exact where a look at its state is late.
 */
async function lastAnswerAt(writes: readonly Write[], meter: Meter): Promise<number | undefined> {
  const last = writes.at(-1);
  if (last === undefined) {
    return undefined;
  }
  const doneAt = await meter.lastDoneAt(last);
  return doneAt === undefined ? undefined : doneAt + LATENCY_MS[last];
}
