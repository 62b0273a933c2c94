import { DOCUMENTED_LIMITS } from '../src/aws/ec2-actions.js';
import type { RateLimit } from '../src/runtime/concurrency/token-bucket.js';
import { LATENCY_MS } from './conditions.js';

/** The EC2 writes of an ENI's life. */
export type Write = Exclude<keyof typeof LATENCY_MS, 'Describe'>;

/** What EC2 asks for before an ENI is attached as wanted; EC2 has no call that does it in one. */
export const TO_ATTACH: readonly Write[] = [
  'CreateNetworkInterface',
  'AttachNetworkInterface',
  'ModifyNetworkInterfaceAttribute',
];
/** What EC2 asks for before an attached ENI is gone. */
export const TO_REMOVE: readonly Write[] = ['DetachNetworkInterface', 'DeleteNetworkInterface'];

/**
 * Seconds that EC2 alone needs until `enis` ENIs have had all these writes answered, one after the other for
 * each ENI, all ENIs at once, from full token buckets. A program that never computes, looks or waits takes
 * this long; none is faster.
 * @param options.share the part of EC2's rates that it may use; default: 1
 */
export function floorSeconds(
  writes: readonly Write[],
  enis: number,
  { share = 1 }: { share?: number } = {},
): number {
  let ready: readonly number[] = Array.from({ length: enis }, () => 0);
  for (const write of writes) {
    const latency = LATENCY_MS[write] / 1_000;
    const { capacity, refillPerSecond } = DOCUMENTED_LIMITS[write];
    const limit = { capacity: capacity * share, refillPerSecond: refillPerSecond * share };
    ready = admissions(ready, limit).map((time) => time + latency);
  }
  return ready.at(-1) ?? 0;
}

/** Seconds after which the token buckets of these writes are full again, however `enis` ENIs emptied them. */
export function refillSeconds(writes: readonly Write[], enis: number): number {
  return Math.max(
    ...writes.map((write) => {
      const { capacity, refillPerSecond } = DOCUMENTED_LIMITS[write];
      return Math.min(enis, capacity) / refillPerSecond;
    }),
  );
}

/**
 * When a token bucket that is full at first lets each of these calls through, first come, first served.
 * @param arrivals seconds, in rising order
 * @returns seconds, in rising order
 */
export function admissions(arrivals: readonly number[], limit: RateLimit): number[] {
  const { capacity, refillPerSecond } = limit;
  let tokens = capacity;
  let now = arrivals[0] ?? 0;
  return arrivals.map((arrival) => {
    const waited = Math.max(0, arrival - now);
    tokens = Math.min(capacity, tokens + waited * refillPerSecond);
    now += waited;
    const missing = Math.max(0, 1 - tokens);
    now += missing / refillPerSecond;
    tokens += missing - 1;
    return now;
  });
}
