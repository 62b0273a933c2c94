import type { Filter } from '@aws-sdk/client-ec2';
import { type Clock, systemClock } from '../../runtime/clock.js';
import { NotWantedError } from '../../runtime/concurrency/token-bucket.js';
import type { Logger } from '../../runtime/logger.js';
import type { Ec2Action } from '../ec2-actions.js';
import { DeniedError, ThrottledError } from '../ec2-errors.js';
import type { RequestBudget } from '../request-budget.js';
import { toEc2Error } from './classify-error.js';
import { filterCalls } from './sdk-filters.js';

/** The largest page that EC2 allows for most Describe calls. */
const PAGE_SIZE = 1_000;

/** A call with its result, for metrics. */
export interface Ec2Call {
  action: Ec2Action;
  /** `OK`, or the error code. */
  code: string;
  /** Whether EC2 throttled it. */
  throttled: boolean;
  /** From sending to the answer, in milliseconds, without the wait for the budget. */
  durationMs: number;
}

export interface Ec2CallerOptions {
  budget: RequestBudget;
  logger: Logger;
  /** Measures calls; default: the machine's clock. */
  clock?: Clock;
  /** Called after each call. */
  onCall?: (call: Ec2Call) => void;
  /** Once aborted, calls that still wait for their turn fail and no new one is sent. */
  signal?: AbortSignal;
  /** The owner of these calls: owners take turns. */
  owner?: string;
  /** Whether a call is still wanted, evaluated when it is its turn. */
  wanted?: (() => boolean) | undefined;
}

export interface FilteredRead {
  /** The filter that can have many values. */
  name: string;
  values: readonly string[];
  /** Further filters of every call. */
  and?: Filter[];
}

export interface Paging {
  Filters: Filter[];
  MaxResults: number;
  NextToken?: string;
}

export interface Page<T> {
  items: T[];
  next: string | undefined;
}

/** Sends calls to EC2: each waits for the budget of its action, is sent once, and fails with an Ec2Error. */
export class Ec2Caller {
  constructor(private readonly options: Ec2CallerOptions) {}

  /**
   * Reads all pages by filter, so that the result lacks what EC2 does not know; a read by id would fail as a whole.
   * @throws Ec2Error, NotWantedError
   */
  async readByFilter<T>(
    action: Ec2Action,
    { name, values, and }: FilteredRead,
    readPage: (paging: Paging) => Promise<Page<T>>,
  ): Promise<T[]> {
    const reads = filterCalls(name, values, and).map((filters) =>
      this.readPages(action, filters, readPage),
    );
    return (await Promise.all(reads)).flat();
  }

  /** @throws Ec2Error, NotWantedError */
  async call<T>(action: Ec2Action, send: () => Promise<T>): Promise<T> {
    const { budget, logger, clock = systemClock, onCall, signal, owner, wanted } = this.options;
    try {
      await budget.take(action, { signal, owner, wanted });
    } catch (error) {
      throw error instanceof NotWantedError ? error : toEc2Error(action, error);
    }
    const sentAt = clock.now();
    const answered = (code: string, throttled = false): void =>
      onCall?.({ action, code, throttled, durationMs: clock.now() - sentAt });
    try {
      const answer = await send();
      budget.succeeded(action);
      answered('OK');
      return answer;
    } catch (thrown) {
      const error = toEc2Error(action, thrown);
      const throttled = error instanceof ThrottledError;
      if (throttled) {
        budget.throttled(action);
        logger.warn('EC2 throttled a call', { action, requestID: error.requestId });
      }
      if (error instanceof DeniedError) {
        logger.warn('EC2 denied a call', { action, error: error.message });
      }
      answered(error.code, throttled);
      throw error;
    }
  }

  private async readPages<T>(
    action: Ec2Action,
    filters: Filter[],
    readPage: (paging: Paging) => Promise<Page<T>>,
  ): Promise<T[]> {
    const items: T[] = [];
    let next: string | undefined;
    do {
      const paging: Paging = {
        Filters: filters,
        MaxResults: PAGE_SIZE,
        ...(next === undefined ? {} : { NextToken: next }),
      };
      const page = await this.call(action, () => readPage(paging));
      items.push(...page.items);
      next = page.next || undefined;
    } while (next !== undefined);
    return items;
  }
}
