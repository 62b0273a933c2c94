import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { AddressFamily } from '../../host/host-network.js';
import { Family } from './rtnetlink.js';

export class NotAnAddressError extends Error {
  override readonly name = 'NotAnAddressError';

  constructor(text: string, family: AddressFamily) {
    super(`"${text}" is not an IPv${family} address`);
  }
}

/** Undefined for families other than IP: the kernel's multicast and MPLS tables respond to the same requests. */
export function familyOfNumber(number: number): AddressFamily | undefined {
  if (number === Family.ipv4) return 4;
  return number === Family.ipv6 ? 6 : undefined;
}

export function familyNumber(family: AddressFamily): number {
  return family === 4 ? Family.ipv4 : Family.ipv6;
}

/** Bits of a whole address. */
function bitsOf(family: AddressFamily): number {
  return family === 4 ? 32 : 128;
}

/** @param bytes 4 or 16, in network order; @returns IPv6 in the form of RFC 5952. */
export function addressText(bytes: Buffer): string {
  return ipaddr.fromByteArray([...bytes]).toString();
}

/** @returns 4 or 16 bytes in network order. @throws NotAnAddressError */
export function addressBytes(text: string, family: AddressFamily): Buffer {
  // Node takes an address with its device (fe80::1%eth0) for IPv6; the library reads 10.1 and 0x0a.0.0.1, too.
  const isAddress = family === 4 ? isIPv4(text) : isIPv6(text) && !text.includes('%');
  if (!isAddress) throw new NotAnAddressError(text, family);
  return Buffer.from(ipaddr.parse(text).toByteArray());
}

/** A network: the bytes of its address, and how many of their bits count. */
export interface Prefix {
  bytes: Buffer;
  length: number;
}

/** @param cidr an address without a length counts as /32 or /128. @throws NotAnAddressError, RangeError */
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
