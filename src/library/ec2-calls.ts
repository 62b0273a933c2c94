import type { EC2Client } from '@aws-sdk/client-ec2';
import { NotYetVisibleError, RetryableError, ThrottledError } from '../aws/ec2-errors.js';
import type { Ec2Gateway, Eni } from '../aws/ec2-gateway.js';
import type { RequestBudget } from '../aws/request-budget.js';
import { abortable } from '../aws/sdk/sdk-client.js';
import { SdkEc2Gateway } from '../aws/sdk/sdk-ec2-gateway.js';
import { type Clock, sleep } from '../runtime/clock.js';
import { ExponentialBackoff } from '../runtime/concurrency/backoff.js';
import { Batcher } from '../runtime/concurrency/batcher.js';
import type { Logger } from '../runtime/logger.js';
import { ENITimeoutError } from './eni-timeout-error.js';
import type { WaitOptions } from './requests.js';

export interface Ec2CallsOptions {
  client: EC2Client;
  budget: RequestBudget;
  clock: Clock;
  /** At least 0, below 1. */
  random: () => number;
  logger: Logger;
  /** How long a failed call is retried, in milliseconds. */
  retryForMs: number;
  /** How long EC2's reads can lag behind a write, in milliseconds. */
  consistencyWindowMs: number;
}

/** What repeating a call would do. */
export interface Repetition {
  /** A call whose response was lost may be sent again. Default: true. */
  idempotent?: boolean;
  /** The call's resource may be so new that EC2 does not know it yet. */
  mayBeNew?: boolean;
}

const BACKOFF = { baseMs: 200, maxMs: 5_000, jitter: 0.2 };
/** The waits between two reads of an ENI, in milliseconds: EC2 attaches in 2 to 10 seconds. */
const LOOKS = { baseMs: 250, maxMs: 3_000, factor: 1.5 };
/** The shortest time between two describes of awaited ENIs, in milliseconds. */
const OBSERVE_INTERVAL_MS = 250;
const PAUSE_MS = 500;
const OBSERVE_GATHER_MS = 20;
const MAX_BATCH = 1_000;
const DEFAULT_TIMEOUT_MS = 300_000;

/** Calls EC2 within the budget, retries what is safe to repeat, and waits. */
export class Ec2Calls {
  private readonly observations: Batcher<string, Eni>;

  private constructor(private readonly options: Ec2CallsOptions) {
    const ec2 = this.gateway();
    this.observations = Batcher.create({
      fetch: async (ids) => new Map((await ec2.describeEnis(ids)).map((eni) => [eni.id, eni])),
      clock: options.clock,
      gatherMs: OBSERVE_GATHER_MS,
      minIntervalMs: OBSERVE_INTERVAL_MS,
      maxBatch: MAX_BATCH,
    });
  }

  static create(options: Ec2CallsOptions): Ec2Calls {
    return new Ec2Calls(options);
  }

  get consistencyWindowMs(): number {
    return this.options.consistencyWindowMs;
  }

  now(): number {
    return this.options.clock.now();
  }

  /**
   * Calls until EC2 accepts, or refuses for a permanent reason.
   * @throws the last Ec2Error; the signal's reason
   */
  async run<T>(
    signal: AbortSignal | undefined,
    call: (ec2: Ec2Gateway) => Promise<T>,
    repetition: Repetition = {},
  ): Promise<T> {
    const { clock, random } = this.options;
    const ec2 = this.gateway(signal);
    const backoff = ExponentialBackoff.create({ ...BACKOFF, random });
    const begun = clock.now();
    for (;;) {
      signal?.throwIfAborted();
      try {
        return await call(ec2);
      } catch (error) {
        signal?.throwIfAborted();
        if (clock.now() - begun >= this.repeatableFor(error, repetition)) throw error;
      }
      await sleep(clock, backoff.next(''), signal);
    }
  }

  /**
   * The ENI as EC2 describes it after this call; one describe serves all waiting callers.
   * @throws Ec2Error; the signal's reason
   */
  observe(eniId: string, signal?: AbortSignal): Promise<Eni | undefined> {
    return this.run(signal, () => orAborted(this.observations.load(eniId), signal));
  }

  /**
   * Reads the ENI until `reached` returns a value other than undefined.
   * @throws ENITimeoutError, Ec2Error; the signal's reason
   */
  async until<T>(
    eniId: string,
    awaited: string,
    reached: (eni: Eni | undefined) => T | undefined,
    { timeoutMs = DEFAULT_TIMEOUT_MS, signal }: WaitOptions,
  ): Promise<T> {
    const { clock } = this.options;
    const looks = ExponentialBackoff.create(LOOKS);
    const deadline = clock.now() + timeoutMs;
    for (;;) {
      const result = reached(await this.observe(eniId, signal));
      if (result !== undefined) return result;
      const left = deadline - clock.now();
      if (left <= 0) throw new ENITimeoutError(eniId, awaited, timeoutMs);
      await sleep(clock, Math.min(left, looks.next('')), signal);
    }
  }

  /** Waits before the next read. @throws the signal's reason */
  pause(signal?: AbortSignal): Promise<void> {
    return sleep(this.options.clock, PAUSE_MS, signal);
  }

  /** How long after its first attempt a failed call is retried, in milliseconds. */
  private repeatableFor(error: unknown, { idempotent = true, mayBeNew }: Repetition): number {
    const { retryForMs, consistencyWindowMs } = this.options;
    if (error instanceof ThrottledError) return retryForMs;
    if (error instanceof RetryableError && idempotent) return retryForMs;
    return error instanceof NotYetVisibleError && mayBeNew ? consistencyWindowMs : 0;
  }

  private gateway(signal?: AbortSignal): Ec2Gateway {
    const { client, budget, clock, logger } = this.options;
    return SdkEc2Gateway.create({
      client: signal ? abortable(client, signal) : client,
      budget,
      clock,
      logger,
      ...(signal ? { signal } : {}),
    });
  }
}

/** The promise, or the signal's reason if it aborts first. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
