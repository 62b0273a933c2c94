import type { Clock } from '../../../src/runtime/clock.js';
import type { Query } from './query.js';

interface Rate {
  /** Tokens that a bucket holds. */
  capacity: number;
  /** Tokens a second. */
  refill: number;
}

// EC2's documentation, "Request throttling for the Amazon EC2 API".
const NON_MUTATING: Rate = { capacity: 100, refill: 20 };
const UNFILTERED: Rate = { capacity: 50, refill: 10 };
const MUTATING: Rate = { capacity: 50, refill: 5 };
const MUTATING_OFTEN: Rate = { capacity: 100, refill: 5 };
const TAGGING: Rate = { capacity: 100, refill: 10 };

const UNFILTERED_ACTIONS = new Set([
  'DescribeInstances',
  'DescribeNetworkInterfaces',
  'DescribeSecurityGroups',
]);

const MUTATING_RATES: Readonly<Record<string, Rate>> = {
  CreateNetworkInterface: MUTATING_OFTEN,
  DeleteNetworkInterface: MUTATING_OFTEN,
  ModifyNetworkInterfaceAttribute: MUTATING_OFTEN,
  AssignPrivateIpAddresses: MUTATING_OFTEN,
  AssignIpv6Addresses: MUTATING_OFTEN,
  CreateTags: TAGGING,
  DeleteTags: TAGGING,
};

interface Bucket {
  tokens: number;
  at: number;
}

/** One bucket an action, and one more for its calls that neither filter nor page. */
export class TokenBuckets {
  private readonly buckets = new Map<string, Bucket>();

  constructor(
    private readonly clock: Clock,
    /** Factor on capacity and refill; 0: every call passes. */
    private readonly settings: Readonly<{ throttlingScale: number }>,
  ) {}

  /** Takes a token for this call. @returns false where there is none. */
  take(query: Query): boolean {
    const { throttlingScale: scale } = this.settings;
    if (scale === 0) {
      return true;
    }
    const { name, rate } = bucketOf(query);
    const capacity = rate.capacity * scale;
    const now = this.clock.now();
    const bucket = this.buckets.get(name) ?? { tokens: capacity, at: now };
    const refilled = ((now - bucket.at) / 1_000) * rate.refill * scale;
    const tokens = Math.min(capacity, bucket.tokens + refilled);
    this.buckets.set(name, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: now });
    return tokens >= 1;
  }

  clear(): void {
    this.buckets.clear();
  }
}

function bucketOf(query: Query): { name: string; rate: Rate } {
  const name = query.action;
  if (!name.startsWith('Describe')) {
    return { name, rate: MUTATING_RATES[name] ?? MUTATING };
  }
  // Ids are no filter: EC2 counts a call by ids alone as unfiltered.
  const narrowed = query.has('Filter') || query.has('MaxResults') || query.has('NextToken');
  return narrowed || !UNFILTERED_ACTIONS.has(name)
    ? { name, rate: NON_MUTATING }
    : { name: `${name} (unfiltered)`, rate: UNFILTERED };
}
