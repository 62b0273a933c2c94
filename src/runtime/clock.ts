/** A started timer; `cancel` is idempotent. */
export interface Timer {
  cancel(): void;
}

/** Time and delays, injected everywhere so that tests control both. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `callback` once, after `ms` milliseconds. */
  after(ms: number, callback: () => void): Timer;
}

/** The machine's clock. It reads the globals at each call, so that sinon's fake timers replace it too. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return { cancel: () => clearTimeout(timer) };
  },
};

/**
 * Resolves after `ms` milliseconds of `clock`.
 * @throws the signal's reason, immediately, when `signal` aborts.
 */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

export interface RepeatOptions {
  clock: Clock;
  /** Ends the repetition. */
  signal: AbortSignal;
  /** Milliseconds before the first time; 0 if absent. */
  delayMs?: number;
}

/**
 * Repeats `work` until `signal` aborts or `work` returns undefined, and then resolves. An error of `work`
 * ends it too: handle in `work` what may fail.
 * @param work returns the milliseconds until its next start
 */
export async function repeat(
  { clock, signal, delayMs }: RepeatOptions,
  work: () => Promise<number | undefined>,
): Promise<void> {
  try {
    let pauseMs = delayMs ?? (await work());
    while (pauseMs !== undefined) {
      await sleep(clock, pauseMs, signal);
      pauseMs = await work();
    }
  } catch {
    // Only the signal interrupts a sleep.
  }
}
