/** The fields of a meta/v1 Status that errors carry. */
interface StatusBody {
  message?: string;
  /** One CamelCase word: `NotFound`, `Conflict`, `AlreadyExists`, `Expired`… */
  reason?: string;
  code?: number;
  details?: { retryAfterSeconds?: number };
}

export interface KubeApiErrorOptions {
  /** HTTP status; for an error within a watch, the code of its Status. */
  status: number;
  reason: string;
  message: string;
  /** The delay that the server requests, in milliseconds (`Retry-After` or Status.details). */
  retryAfterMs?: number | undefined;
}

/** The API server refused the request. */
export class KubeApiError extends Error {
  override name = 'KubeApiError';
  readonly status: number;
  readonly reason: string;
  readonly retryAfterMs: number | undefined;

  constructor(options: KubeApiErrorOptions) {
    super(options.message);
    this.status = options.status;
    this.reason = options.reason;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** The request got no response: whether the server executed it is unknown. */
export class KubeUnreachableError extends Error {
  override name = 'KubeUnreachableError';
}

/** The server's response is not the JSON that its API specifies. */
export class MalformedResponseError extends Error {
  override name = 'MalformedResponseError';
}

/** The server's response, or a line of its stream, exceeds the client's limit. */
export class ResponseTooLargeError extends MalformedResponseError {
  override name = 'ResponseTooLargeError';
}

/** RBAC or an admission policy does not allow it (403). */
export function isForbidden(error: unknown): error is KubeApiError {
  return hasStatus(error, 403);
}

/** The object does not exist (404). */
export function isNotFound(error: unknown): error is KubeApiError {
  return hasStatus(error, 404);
}

/** The object has changed since it was read, or a precondition failed (409 Conflict). */
export function isConflict(error: unknown): error is KubeApiError {
  return hasStatus(error, 409) && error.reason !== 'AlreadyExists';
}

/** An object of that name exists (409 AlreadyExists). */
export function isAlreadyExists(error: unknown): error is KubeApiError {
  return hasStatus(error, 409) && error.reason === 'AlreadyExists';
}

/** The resourceVersion or the continue token is older than the server's history (410). */
export function isGone(error: unknown): error is KubeApiError {
  return hasStatus(error, 410);
}

/** The API server's validation, or an admission policy, refuses the object (422 Invalid). */
export function isInvalid(error: unknown): error is KubeApiError {
  return hasStatus(error, 422);
}

/** Builds the error for a response, whose body may or may not be a Status. */
export function apiErrorOf(status: number, body: unknown, retryAfterMs?: number): KubeApiError {
  const { message, reason, details } = asStatus(body);
  const fromDetails = details?.retryAfterSeconds;
  return new KubeApiError({
    status,
    reason: reason ?? 'Unknown',
    message: message ?? `The API server responded with status ${status}`,
    retryAfterMs: retryAfterMs ?? (fromDetails === undefined ? undefined : fromDetails * 1_000),
  });
}

function hasStatus(error: unknown, status: number): error is KubeApiError {
  return error instanceof KubeApiError && error.status === status;
}

function asStatus(body: unknown): StatusBody {
  return typeof body === 'object' && body !== null ? body : {};
}

/**
 * Converts `Retry-After` (RFC 9110, 10.2.3: seconds or a date) to milliseconds from `now`.
 * @returns undefined if there is no readable value.
 */
export function retryAfterMs(
  header: string | string[] | undefined,
  now: number,
): number | undefined {
  const value = Array.isArray(header) ? header[0] : header;
  if (value === undefined || value.trim() === '') return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1_000);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
