/**
 * An ENI did not reach the state that a call waits for within its time. The same call again continues the
 * wait.
 */
export class ENITimeoutError extends Error {
  override name = 'ENITimeoutError';

  constructor(
    readonly eniId: string,
    /** What the call waits for, for example `attached`. */
    readonly awaited: string,
    timeoutMs: number,
  ) {
    super(`${eniId} is not ${awaited} after ${timeoutMs / 1_000} s`);
  }
}
