import type { AddressFamily } from '../host/host-network.js';
import { addressBytes, addressText, bitsOf } from './ip-bytes.js';

/** A network as the kernel has it: its first bytes, and how many of their bits count. */
export interface Prefix {
  bytes: Buffer;
  length: number;
}

/** @param cidr an address alone is a prefix of its whole length. @throws NotAnAddressError, RangeError */
export function parsePrefix(cidr: string, family: AddressFamily): Prefix {
  const [address = '', length] = cidr.split('/');
  const bits = bitsOf(family);
  const prefix = { bytes: addressBytes(address, family), length: Number(length ?? bits) };
  if (!Number.isInteger(prefix.length) || prefix.length < 0 || prefix.length > bits) {
    throw new RangeError(`"${cidr}" has no prefix length of 0 to ${bits}`);
  }
  return prefix;
}

export function prefixText({ bytes, length }: Prefix): string {
  return `${addressText(bytes)}/${length}`;
}
