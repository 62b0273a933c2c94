import { setTimeout as sleep } from 'node:timers/promises';
import { NotSeenError, PATIENCE_MS } from './not-seen-error.js';

/** Between two looks, in milliseconds. */
const LOOK_MS = 50;

export interface PollOptions {
  /** What there is to see in the end, for the message. */
  outcome: string;
  signal: AbortSignal;
}

/** Looks until it is so. @throws NotSeenError; AbortError at the signal */
export async function pollUntil(
  isSo: () => Promise<boolean>,
  { outcome, signal }: PollOptions,
): Promise<void> {
  const since = Date.now();
  while (!(await isSo())) {
    if (Date.now() - since > PATIENCE_MS) throw new NotSeenError(outcome);
    await sleep(LOOK_MS, undefined, { signal });
  }
}
