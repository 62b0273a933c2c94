import type { DhcpAck } from './dhcp-message.js';

/** Milliseconds from the acknowledgement on. */
export interface LeaseTimes {
  /** T1: the server is asked to renew. */
  renewMs: number;
  /** T2: any server is asked. */
  rebindMs: number;
  endMs: number;
}

/** A lease counts for a day at most, so that no timer passes Node's limit of 24 days; one without end too. */
const LONGEST_MS = 86_400_000;
/** And for at least this long: a server that gives less would be asked without a pause. */
const SHORTEST_MS = 4_000;
/** Part of T1 that is left out at random, so that the ENIs of many nodes do not ask together. */
const FUZZ = 0.05;

/** The server's T1 and T2 where they are in order, else 1/2 and 7/8 of the lease (RFC 2131, 4.4.5). */
export function leaseTimes(
  { leaseSeconds, renewSeconds, rebindSeconds }: DhcpAck,
  random: () => number,
): LeaseTimes {
  const endMs = Math.min(Math.max(leaseSeconds * 1000, SHORTEST_MS), LONGEST_MS);
  const said = { renewMs: (renewSeconds ?? 0) * 1000, rebindMs: (rebindSeconds ?? 0) * 1000 };
  const inOrder = said.renewMs > 0 && said.renewMs < said.rebindMs && said.rebindMs < endMs;
  const { renewMs, rebindMs } =
    inOrder && said.renewMs >= SHORTEST_MS / 2
      ? said
      : { renewMs: endMs / 2, rebindMs: (endMs * 7) / 8 };
  return { renewMs: renewMs * (1 - FUZZ * random()), rebindMs, endMs };
}
