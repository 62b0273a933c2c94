import { isIPv4, isIPv6 } from 'node:net';
import type { AddressFamily } from '../../host/host-network.js';
import { Family } from './rtnetlink.js';

export class NotAnAddressError extends Error {
  override readonly name = 'NotAnAddressError';

  constructor(text: string, family: AddressFamily) {
    super(`"${text}" is no IPv${family} address`);
  }
}

/** Undefined for what is not IP: the kernel's multicast and MPLS tables answer the same requests. */
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

/** @param bytes 4 or 16, in network order; @returns IPv6 as RFC 5952 has it */
export function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  const words = Array.from({ length: 8 }, (_, word) => bytes.readUInt16BE(2 * word).toString(16));
  return canonical(words.join(':'));
}

/** @returns 4 or 16 bytes in network order. @throws NotAnAddressError */
export function addressBytes(text: string, family: AddressFamily): Buffer {
  // An address with its device (fe80::1%eth0) is IPv6 to Node, and no 16 bytes.
  const isAddress = family === 4 ? isIPv4(text) : isIPv6(text) && !text.includes('%');
  if (!isAddress) throw new NotAnAddressError(text, family);
  if (family === 4) return Buffer.from(text.split('.').map(Number));
  const bytes = Buffer.alloc(16);
  const [head = '', tail] = canonical(text).split('::');
  const before = wordsOf(head);
  const after = wordsOf(tail ?? '');
  before.forEach((word, at) => {
    bytes.writeUInt16BE(word, 2 * at);
  });
  after.forEach((word, at) => {
    bytes.writeUInt16BE(word, 16 - 2 * (after.length - at));
  });
  return bytes;
}

/** The URL parser's form: lower case, shortened, without a dotted part. */
function canonical(text: string): string {
  return new URL(`http://[${text}]/`).hostname.slice(1, -1);
}

function wordsOf(text: string): number[] {
  return text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16));
}

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
