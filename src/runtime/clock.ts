/** A started timer; `cancel` is idempotent. */
export interface Timer {
  cancel(): void;
}

/** Time and delays as everything here uses them, so that tests own both. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `callback` once, after `ms` milliseconds. */
  after(ms: number, callback: () => void): Timer;
}

/** The machine's clock. It reads the globals at each call, so that sinon's fake timers rule it too. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return { cancel: () => clearTimeout(timer) };
  },
};

/**
 * Resolves after `ms` milliseconds of `clock`.
 * @throws the signal's reason, at once, when `signal` aborts.
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
