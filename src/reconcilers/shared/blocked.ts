import { type Blocked, blocked } from '../../api/reasons.js';
import {
  CapacityError,
  ConflictError,
  CredentialsError,
  DeniedError,
  Ec2Error,
  NotYetVisibleError,
  UserError,
} from '../../aws/ec2-errors.js';
import type { Clock } from '../../runtime/clock.js';
import type { ExponentialBackoff } from '../../runtime/concurrency/backoff.js';
import {
  isAlreadyExists,
  isConflict,
  isNotFound,
  KubeApiError,
} from '../../runtime/kube/kube-errors.js';
import { withoutFullStop } from '../../runtime/message-text.js';
import { printable } from '../../runtime/printable-text.js';

/** Whether a result is a reason why there is none. */
export function isBlocked<T>(answer: T | Blocked): answer is Blocked {
  return answer instanceof Object && 'reason' in answer && 'message' in answer;
}

/** What an EC2 failure means to the user, or `undefined` if a retry may help. */
export function blockedByFailure(error: Ec2Error): Blocked | undefined {
  const cause = `${error.action} (${error.code}): ${withoutFullStop(error.detail)}`;
  if (error instanceof CredentialsError) {
    return blocked('CredentialsUnavailable', `No valid AWS credentials for ${cause}`);
  }
  const fact = `EC2 refused ${cause}`;
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
 * The result, or what the user has to correct to get one.
 * @throws every other error, including EC2 failures that a retry may fix
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

/** Characters of the API server's message that a condition quotes: a webhook may return pages. */
const MAX_QUOTED = 500;
/** HTTP status of the API server's priority and fairness: the same write may succeed later. */
const TOO_MANY_REQUESTS = 429;

/**
 * Why the API server refuses the write, or `undefined` for any other failure. A refusal (policy, webhook,
 * quota, validation, also a webhook that fails) concerns only this write. It is not a refusal if the caller's
 * copy of the object is stale (changed, created or deleted), or if the server is overloaded.
 * @param write what it does, as an infinitive: `create ENIAttachment x`
 */
export function refusedWrite(write: string, error: unknown): Blocked | undefined {
  const isStale = isConflict(error) || isAlreadyExists(error) || isNotFound(error);
  if (isStale || !(error instanceof KubeApiError) || error.status === TOO_MANY_REQUESTS) {
    return undefined;
  }
  return refusal(write, error);
}

function refusal(write: string, { message }: KubeApiError): Blocked {
  const detail = withoutFullStop(printable(message, MAX_QUOTED));
  return blocked('WriteRefused', `The API server refused to ${write}: ${detail}`);
}

/**
 * The written object, or why the API server refuses the write ({@link refusedWrite}).
 * @throws every other error
 */
export async function writtenOrBlocked<T>(write: string, answer: Promise<T>): Promise<T | Blocked> {
  try {
    return await answer;
  } catch (error) {
    const refused = refusedWrite(write, error);
    if (!refused) {
      throw error;
    }
    return refused;
  }
}

/**
 * The created object, or why the API server refuses to create it. For a new object, a conflict is a refusal
 * too: only a quota causes one.
 * @throws every other error
 */
export function createdOrBlocked<T>(what: string, answer: Promise<T>): Promise<T | Blocked> {
  const write = `create ${what}`;
  return writtenOrBlocked(
    write,
    answer.catch((error: unknown) => {
      if (!isConflict(error)) {
        throw error;
      }
      return refusal(write, error);
    }),
  );
}

/** Whether EC2 does not know an id in the call, or does not know it yet. */
export function isNotVisible(error: unknown): error is NotYetVisibleError {
  return error instanceof NotYetVisibleError;
}

export interface BlockedBackoffOptions {
  backoff: ExponentialBackoff;
  clock: Clock;
}

/** When to retry a fault that only a user can correct. */
export interface Retry {
  /** Milliseconds from now. */
  afterMs: number;
  /** Whether this reconcile was a due retry; false if another event triggered it earlier. */
  counts: boolean;
}

/** Growing waits between retries. Reconciles that other events trigger neither shorten nor lengthen them. */
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

  /** Restarts with the shortest wait. Call it once the cause or the object is gone. */
  forget(key: string): void {
    this.options.backoff.forget(key);
    this.dueAt.delete(key);
  }
}
