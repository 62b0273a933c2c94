import { type Blocked, blocked } from '../../api/reasons.js';
import {
  CapacityError,
  ConflictError,
  DeniedError,
  Ec2Error,
  NotYetVisibleError,
  UserError,
} from '../../aws/ec2-errors.js';
import type { Clock } from '../../runtime/clock.js';
import type { ExponentialBackoff } from '../../runtime/concurrency/backoff.js';

/**
 * What an EC2 failure means to the user: something that only a change elsewhere can cure, or `undefined`
 * where trying again is all there is to do.
 */
export function blockedByFailure(error: Ec2Error): Blocked | undefined {
  const fact = `EC2 refused ${error.action} (${error.code}): ${error.detail.replace(/\.\s*$/, '')}`;
  if (
    error instanceof UserError ||
    error instanceof CapacityError ||
    error instanceof ConflictError
  ) {
    return blocked(error.reason, fact);
  }
  if (error instanceof DeniedError) {
    return blocked('AccessDenied', fact);
  }
  return undefined;
}

/**
 * The answer, or what about it somebody has to correct.
 * @throws whatever else was thrown, EC2 failures among it that trying again may cure
 */
export async function answerOrBlocked<T>(answer: Promise<T>): Promise<T | Blocked> {
  try {
    return await answer;
  } catch (error) {
    const fault = error instanceof Ec2Error ? blockedByFailure(error) : undefined;
    if (!fault) {
      throw error;
    }
    return fault;
  }
}

/** Whether EC2 does not know an id that the call named; it may not know it yet. */
export function isNotVisible(error: unknown): error is NotYetVisibleError {
  return error instanceof NotYetVisibleError;
}

export interface BlockedBackoffOptions {
  backoff: ExponentialBackoff;
  clock: Clock;
}

/** When to try again what somebody has to correct first. */
export interface Retry {
  /** Milliseconds from now. */
  afterMs: number;
  /** Whether this pass was a try of its own, or one that something else woke before the next was due. */
  counts: boolean;
}

/** Growing waits between tries, that passes woken by something else neither shorten nor lengthen. */
export class BlockedBackoff {
  private readonly dueAt = new Map<string, number>();

  constructor(private readonly options: BlockedBackoffOptions) {}

  next(key: string): Retry {
    const { backoff, clock } = this.options;
    const now = clock.now();
    const dueAt = this.dueAt.get(key);
    if (dueAt !== undefined && now < dueAt) {
      return { afterMs: dueAt - now, counts: false };
    }
    const afterMs = backoff.next(key);
    this.dueAt.set(key, now + afterMs);
    return { afterMs, counts: true };
  }

  /** The cause is gone, or the key is: the next wait is the first again. */
  forget(key: string): void {
    this.options.backoff.forget(key);
    this.dueAt.delete(key);
  }
}
