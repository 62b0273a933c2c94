import { type Clock, sleep } from '../clock.js';
import { ExponentialBackoff } from '../concurrency/backoff.js';
import type { Logger } from '../logger.js';
import { KubeApiError, KubeUnreachableError } from './kube-errors.js';

/**
 * At most 4 s between two requests, with jitter: the wait ends within 5 s of the API server's return (ADR
 * 14).
 */
const BACKOFF = { baseMs: 500, maxMs: 2_000, jitter: 1 };

export interface UntilAnsweredOptions {
  clock: Clock;
  /** At least 0, below 1. */
  random: () => number;
  logger: Logger;
  signal: AbortSignal;
  onFailure: (error: unknown) => void;
}

/**
 * Retries `read` while the API server is unavailable, overloaded or not ready yet: exiting would cost the
 * kubelet's crash-loop delay.
 * @throws an error of `read` that waiting does not fix (such as a missing right); the signal's reason
 */
export async function untilAnswered<T>(
  read: () => Promise<T>,
  { clock, random, logger, signal, onFailure }: UntilAnsweredOptions,
): Promise<T> {
  const backoff = ExponentialBackoff.create({ ...BACKOFF, random });
  for (let failures = 0; ; failures += 1) {
    signal.throwIfAborted();
    try {
      const answer = await read();
      if (failures > 0) logger.info('The API server responds');
      return answer;
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (failures === 0) logger.warn('Waiting for the API server', { error });
      onFailure(error);
      const askedMs = error instanceof KubeApiError ? (error.retryAfterMs ?? 0) : 0;
      await sleep(clock, Math.max(backoff.next('read'), askedMs), signal);
    }
  }
}

/** No response, too many requests, or a server that fails or starts. */
function isPassing(error: unknown): boolean {
  if (error instanceof KubeUnreachableError) return true;
  return error instanceof KubeApiError && (error.status === 429 || error.status >= 500);
}
