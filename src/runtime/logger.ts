/**
 * Structured logging, a subset of winston's `Logger`. Messages are constant, values are fields. The field
 * `error` holds the thrown value: the log formats it with {@link describeError}.
 */
export interface Logger {
  debug(message: string, fields?: Record<string, unknown>): unknown;
  info(message: string, fields?: Record<string, unknown>): unknown;
  warn(message: string, fields?: Record<string, unknown>): unknown;
  error(message: string, fields?: Record<string, unknown>): unknown;
  child(fields: Record<string, unknown>): Logger;
}

/** An error as one line: its name and message, and those of its causes. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const line = `${error.name}: ${error.message}`;
  return error.cause === undefined ? line : `${line}; caused by ${describeError(error.cause)}`;
}
