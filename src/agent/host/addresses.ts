import { isIP, isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** An IPv4 network. */
export interface Subnet {
  /** Its first address. */
  network: ipaddr.IPv4;
  prefixLength: number;
}

/** A longer prefix leaves no address for a router in addition to the network and broadcast addresses. */
const MAX_PREFIX_LENGTH = 30;

/**
 * @param cidr host bits are ignored
 * @returns undefined unless it is an IPv4 network in CIDR form that has room for a router
 */
export function parseSubnet(cidr: string | undefined): Subnet | undefined {
  const [address = '', length = '', ...more] = cidr?.split('/') ?? [];
  // The library reads more than CIDR: hexadecimal and octal parts, and addresses with fewer than four.
  if (more.length > 0 || !isIPv4(address) || !/^\d{1,2}$/.test(length)) return undefined;
  const prefixLength = Number(length);
  if (prefixLength > MAX_PREFIX_LENGTH) return undefined;
  const network = ipaddr.IPv4.networkAddressFromCIDR(`${address}/${prefixLength}`);
  return { network, prefixLength };
}

/** The subnet's router: "the second address, base plus one" (VPC User Guide, "Subnet CIDR reservations"). */
export function routerOf({ network }: Subnet): string {
  const octets = network.toByteArray();
  octets[3] = (octets[3] ?? 0) + 1;
  return ipaddr.fromByteArray(octets).toString();
}

export function cidrOf({ network, prefixLength }: Subnet): string {
  return `${network}/${prefixLength}`;
}

/**
 * "On AWS, the subnet's gateway can always be reached at fe80:ec2::1" (VPC User Guide, "Subnet sizing for
 * IPv6").
 */
export const IPV6_ROUTER = 'fe80:ec2::1';

export function familyOf(address: string): 4 | 6 | undefined {
  return isIPv4(address) ? 4 : isIPv6(address) ? 6 : undefined;
}

/** Whether two texts denote the same address: an IPv6 address has many forms. */
export function sameAddress(a: string, b: string): boolean {
  return a === b || (isIP(a) === 6 && isIP(b) === 6 && canonical(a) === canonical(b));
}

/** The library knows fewer zones (`%eth0`) than Linux has device names. */
function canonical(text: string): string {
  const [address = '', ...zone] = text.split('%');
  return [ipaddr.IPv6.parse(address), ...zone].join('%');
}

const MAC_ADDRESS = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/;

/** Whether it is one, lower case, with colons. */
export function isMacAddress(text: string): boolean {
  return MAC_ADDRESS.test(text);
}
