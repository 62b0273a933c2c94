/** An error as one line for logs: its name, its message, and those of what caused it. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const line = `${error.name}: ${error.message}`;
  return error.cause === undefined ? line : `${line}; caused by ${describeError(error.cause)}`;
}
