import { type Clock, repeat, sleep } from '../../runtime/clock.js';
import type { Logger } from '../../runtime/logger.js';
import { Ec2Error } from '../ec2-errors.js';

/** Delay before a failed listing is retried, in milliseconds: doubled each time, up to the longest. */
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

export interface PeriodicListingOptions {
  /** Lists once. */
  list: () => Promise<void>;
  clock: Clock;
  logger: Logger;
  /** Time between listings, in milliseconds. */
  resyncMs: number;
  /** Called when listing starts failing, fails differently, or recovers (undefined); not on every attempt. */
  onListing?: ((failure: unknown) => void) | undefined;
}

/** Lists periodically, with retries, and reports when that starts or stops failing. */
export class PeriodicListing {
  private failure: string | undefined;

  constructor(private readonly options: PeriodicListingOptions) {}

  /**
   * Resolves after the first complete listing; then lists every `resyncMs` until `signal` aborts.
   * @throws the signal's reason when it aborts before the first listing is complete.
   */
  async start(signal: AbortSignal): Promise<void> {
    await this.listUntilComplete(signal);
    void this.keepListing(signal);
  }

  private keepListing(signal: AbortSignal): Promise<void> {
    const { clock, resyncMs } = this.options;
    return repeat({ clock, signal, delayMs: resyncMs }, async () => {
      await this.listUntilComplete(signal);
      return resyncMs;
    });
  }

  /** @throws only the signal's reason. */
  private async listUntilComplete(signal: AbortSignal): Promise<void> {
    for (let pauseMs = FIRST_RETRY_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_RETRY_MS)) {
      signal.throwIfAborted();
      try {
        await this.options.list();
        this.report(undefined);
        return;
      } catch (error) {
        this.report(error);
        await sleep(this.options.clock, pauseMs, signal);
      }
    }
  }

  private report(error: unknown): void {
    const failure = error === undefined || error instanceof Ec2Error ? error?.code : String(error);
    if (failure === this.failure) return;
    this.failure = failure;
    const { logger, onListing } = this.options;
    if (error) logger.error('Listing ENIs fails', { code: failure, error });
    else logger.info('Listing ENIs recovered');
    onListing?.(error);
  }
}
