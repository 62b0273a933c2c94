import { isIP, isIPv4, isIPv6 } from 'node:net';

/** An IPv4 network in CIDR form, taken apart. */
export interface Subnet {
  /** First address, a number of 32 bits. */
  base: number;
  prefixLength: number;
}

/** @returns undefined where the text is no IPv4 network. */
export function parseSubnet(cidr: string | undefined): Subnet | undefined {
  const [address = '', length = '', ...more] = cidr?.split('/') ?? [];
  const prefixLength = Number(length);
  if (more.length > 0 || !isIPv4(address) || !/^\d{1,2}$/.test(length) || prefixLength > 32) {
    return undefined;
  }
  const size = 2 ** (32 - prefixLength);
  return { base: Math.floor(numberOf(address) / size) * size, prefixLength };
}

/** The subnet's router: "the second address, base plus one" (VPC User Guide, "Subnet CIDR reservations"). */
export function routerOf({ base }: Subnet): string {
  return textOf(base + 1);
}

export function cidrOf({ base, prefixLength }: Subnet): string {
  return `${textOf(base)}/${prefixLength}`;
}

/**
 * "On AWS, the subnet's gateway can always be reached at fe80:ec2::1" (VPC User Guide, "Subnet sizing for
 * IPv6").
 */
export const IPV6_ROUTER = 'fe80:ec2::1';

export function familyOf(address: string): 4 | 6 | undefined {
  return isIPv4(address) ? 4 : isIPv6(address) ? 6 : undefined;
}

/** Whether two texts mean the same address: IPv6 has many. */
export function sameAddress(a: string, b: string): boolean {
  return a === b || (isIP(a) === 6 && isIP(b) === 6 && canonical(a) === canonical(b));
}

/** A zone (`%eth0`) is no part of a URL's address. */
function canonical(text: string): string {
  const [address, ...zone] = text.split('%');
  return [new URL(`http://[${address}]/`).hostname, ...zone].join('%');
}

function numberOf(address: string): number {
  return address.split('.').reduce((number, part) => number * 256 + Number(part), 0);
}

function textOf(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}

const MAC_ADDRESS = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/;

/** Whether it is one, lower case, with colons. */
export function isMacAddress(text: string): boolean {
  return MAC_ADDRESS.test(text);
}
