import type { Call } from '../../tools/ec2-simulator/index.js';
import type { CallCounts } from '../../tools/ec2-simulator/protocol/call-log.js';

/** EC2's code for a call refused for rate. */
export const THROTTLED = 'RequestLimitExceeded';

/** EC2 calls, however they were answered. */
export interface Ec2Calls {
  total: number;
  byAction: Readonly<Record<string, number>>;
  /** Those refused for rate. */
  throttled: number;
  /** Those refused for anything else, by action and EC2's error code. */
  refused: Readonly<Record<string, number>>;
}

export const NO_CALLS: Ec2Calls = { total: 0, byAction: {}, throttled: 0, refused: {} };

export function ec2CallsOf({ total, byAction }: CallCounts): Ec2Calls {
  const outcomes = Object.entries(byAction).flatMap(([action, counts]) =>
    Object.entries(counts).map(([outcome, count]) => ({ action, outcome, count })),
  );
  const sums = new Map<string, number>();
  for (const { action, count } of outcomes) {
    sums.set(action, (sums.get(action) ?? 0) + count);
  }
  return {
    total,
    byAction: Object.fromEntries(sums),
    throttled: outcomes
      .filter(({ outcome }) => outcome === THROTTLED)
      .reduce((sum, { count }) => sum + count, 0),
    refused: Object.fromEntries(
      outcomes
        .filter(({ outcome }) => outcome !== 'ok' && outcome !== THROTTLED)
        .map(({ action, outcome, count }) => [`${action} ${outcome}`, count]),
    ),
  };
}

/** The calls of `all` that are not among `some`. */
export function difference(all: Ec2Calls, some: Ec2Calls): Ec2Calls {
  return {
    total: all.total - some.total,
    byAction: countsWithout(all.byAction, some.byAction),
    throttled: all.throttled - some.throttled,
    refused: countsWithout(all.refused, some.refused),
  };
}

function countsWithout(
  all: Readonly<Record<string, number>>,
  some: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(all)
      .map(([name, count]) => [name, count - (some[name] ?? 0)] as const)
      .filter(([, count]) => count !== 0),
  );
}

/** When EC2 last did what a call of `action` asked for: milliseconds since the epoch, at the call's arrival. */
export function lastDoneAt(calls: readonly Call[], action: string): number | undefined {
  return calls.findLast((call) => call.action === action && call.outcome === 'ok')?.at;
}
