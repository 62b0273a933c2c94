import type { Clock } from '../runtime/clock.js';
import {
  type TakeOptions,
  TokenBucket,
  type TokenBucketView,
} from '../runtime/concurrency/token-bucket.js';
import { DOCUMENTED_LIMITS, type Ec2Action } from './ec2-actions.js';

/**
 * How late a call can arrive at EC2, in milliseconds: a burst opens many connections at the same time, each with TLS. EC2's full
 * bucket gains nothing until then. A call that arrives even later can be throttled, which halves the rate for a while.
 */
const ARRIVES_WITHIN_MS = 250;

export interface RequestBudgetOptions {
  clock: Clock;
  /**
   * The part of the account's documented rates that this program may use, 0 < share ≤ 1; default 1.
   * Other programs in the account draw on the same rates.
   */
  share?: number;
}

/** The state of one action's budget, for metrics. */
export interface ActionBudget extends TokenBucketView {
  action: Ec2Action;
}

/**
 * How fast to call EC2: one token bucket per action, as EC2 itself counts, so that no action slows another.
 */
export class RequestBudget {
  private constructor(private readonly buckets: ReadonlyMap<Ec2Action, TokenBucket>) {}

  /** @throws RangeError where `share` is not in (0, 1]. */
  static create(options: RequestBudgetOptions): RequestBudget {
    const { clock, share = 1 } = options;
    if (!(share > 0 && share <= 1)) {
      throw new RangeError(
        `The share of EC2's request rate must be above 0 and at most 1: ${share}`,
      );
    }
    const actions = Object.keys(DOCUMENTED_LIMITS) as Ec2Action[];
    return new RequestBudget(
      new Map(
        actions.map((action) => {
          const documented = DOCUMENTED_LIMITS[action];
          const limit = {
            capacity: Math.max(1, Math.floor(documented.capacity * share)),
            refillPerSecond: documented.refillPerSecond * share,
          };
          return [action, TokenBucket.create({ limit, clock, arrivesWithinMs: ARRIVES_WITHIN_MS })];
        }),
      ),
    );
  }

  /**
   * Resolves when `action` may be called once; owners take turns.
   * @throws the signal's reason when `signal` aborts first; NotWantedError if the call is no longer wanted by then.
   */
  take(action: Ec2Action, options: TakeOptions = {}): Promise<void> {
    return this.bucket(action).take(options);
  }

  /** EC2 throttled the action: its rate halves, and its bucket is empty. */
  throttled(action: Ec2Action): void {
    this.bucket(action).throttled();
  }

  /** EC2 accepted the action: its rate recovers by a step. */
  succeeded(action: Ec2Action): void {
    this.bucket(action).succeeded();
  }

  /** Every action's budget as it is now. */
  view(): ActionBudget[] {
    return [...this.buckets].map(([action, bucket]) => ({ action, ...bucket.view() }));
  }

  private bucket(action: Ec2Action): TokenBucket {
    const bucket = this.buckets.get(action);
    if (!bucket) throw new RangeError(`No request budget for the EC2 action ${action}`);
    return bucket;
  }
}
