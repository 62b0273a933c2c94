import { isIPv4 } from 'node:net';
import { covers } from '../../api/pod-pool.js';
import type { AddressState } from './host-local-state.js';

/**
 * How long an address stays held once the ENI no longer has it, in milliseconds: a pod's start can have read the
 * configuration from before. kubelet gives up on a start after 4 minutes (twice its `runtimeRequestTimeout`).
 */
const HELD_AFTERWARDS_MS = 10 * 60_000;

/** Addresses of an IPv4 prefix of an ENI, a /28. */
const PREFIX_SIZE = 16;

export interface HoldsInput {
  state: AddressState;
  /** Addresses and prefixes of the ENI that are for pods. */
  pool: readonly string[];
  /** Those that no further pod may get. */
  withdrawn: readonly string[];
  /** Whether the attachment is being deleted: then its files go, and so does the network of its pods. */
  isDeleted: boolean;
  /** Milliseconds since the epoch. */
  now: number;
}

/** Which addresses to hold, so that no pod gets them, and which to give back. */
export interface Holds {
  hold: string[];
  release: string[];
}

/** IPv6 prefixes have too many addresses to hold them. */
export function planHolds({ state, pool, withdrawn, isDeleted, now }: HoldsInput): Holds {
  if (isDeleted) return { hold: [], release: [...state.held.keys()] };
  const wanted = new Set(withdrawn.flatMap(addressesOf));
  const isTaken = (address: string) => state.held.has(address) || state.pods.includes(address);
  const isOver = ([address, since]: [string, number]) =>
    !wanted.has(address) &&
    (pool.some((each) => covers(each, address)) || now - since >= HELD_AFTERWARDS_MS);
  return {
    hold: [...wanted].filter((address) => !isTaken(address)),
    release: [...state.held].filter(isOver).map(([address]) => address),
  };
}

/** The addresses of an IPv4 address or prefix. */
function addressesOf(addressOrPrefix: string): string[] {
  if (isIPv4(addressOrPrefix)) return [addressOrPrefix];
  const [network = '', length] = addressOrPrefix.split('/');
  if (!isIPv4(network) || length !== '28') return [];
  const [last = '0', ...others] = network.split('.').reverse();
  const start = others.reverse().join('.');
  return Array.from({ length: PREFIX_SIZE }, (_, index) => `${start}.${Number(last) + index}`);
}
