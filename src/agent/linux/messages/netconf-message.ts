import { attribute, numberOf, readAttributes, s32 } from './netlink-codec.js';
import { Family } from './rtnetlink.js';

/** struct netconfmsg: family u8, padded. */
const HEADER_BYTES = 4;

/** NETCONFA_… */
const Attribute = { index: 1, reversePathFilter: 3 } as const;

/** NETCONFA_IFINDEX_ALL: the settings under conf/all. */
export const ALL_DEVICES = -1;

/** Body of a request for the IPv4 settings of a device. */
export function netconfQuery(index: number): Uint8Array[] {
  const header = Buffer.of(Family.ipv4, 0, 0, 0);
  return [header, ...attribute(Attribute.index, s32(index))];
}

/** @throws Error if the bytes are not such a message */
export function readReversePathFilter(data: Buffer): number {
  return numberOf(readAttributes(data.subarray(HEADER_BYTES)), Attribute.reversePathFilter) ?? 0;
}
