/**
 * What a reconcile asks for next (controller-runtime's contract).
 * `{}`: done, wait for the next event. `requeueAfter`: again after that many milliseconds.
 * A thrown error: again with the key's exponential backoff. A thrown {@link TerminalError}: counted,
 * not retried.
 */
export interface Result {
  /** Milliseconds until the key is reconciled again. */
  requeueAfter?: number;
}

/** An error that no retry can cure: it is logged and counted, and the key waits for its next event. */
export class TerminalError extends Error {
  override name = 'TerminalError';
}
