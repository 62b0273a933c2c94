/** Nothing in the demo takes nearly as long, in milliseconds. */
export const PATIENCE_MS = 60_000;

/** What the demo announced did not happen. */
export class NotSeenError extends Error {
  override readonly name = 'NotSeenError';

  constructor(outcome: string) {
    super(`This did not happen within ${PATIENCE_MS / 1000} s: ${outcome}`);
  }
}
