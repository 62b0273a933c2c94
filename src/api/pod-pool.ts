import ipaddr from 'ipaddr.js';
import type { ENIAttachmentSpec, ENIAttachmentStatus } from './eni-attachment.js';

/** The addresses and prefixes of an ENI that are for pods, in the order of the status. */
export interface PodPool {
  /** Without the primary one, which belongs to the node. */
  ipv4Addresses: string[];
  ipv4Prefixes: string[];
  ipv6Prefixes: string[];
}

/** Single IPv6 addresses belong to the node. */
export function podPoolOf(status: ENIAttachmentStatus = {}): PodPool {
  const [, ...ipv4Addresses] = status.privateIPAddresses ?? [];
  const { ipv4Prefixes = [], ipv6Prefixes = [] } = status;
  return { ipv4Addresses, ipv4Prefixes, ipv6Prefixes };
}

/** How many an ENI should have; `undefined`: as many as it has. */
export interface WantedAddresses {
  addresses: number | undefined;
  prefixes: number | undefined;
}

/** How many addresses besides the primary one, and how many prefixes, the spec says. */
export function wantedIpv4({ ipv4 }: ENIAttachmentSpec): WantedAddresses {
  return ipv4
    ? { addresses: ipv4.secondaryAddresses ?? 0, prefixes: ipv4.prefixes ?? 0 }
    : { addresses: undefined, prefixes: undefined };
}

/** How many addresses and prefixes the spec says. */
export function wantedIpv6({ ipv6 }: ENIAttachmentSpec): WantedAddresses {
  return { addresses: ipv6?.addresses, prefixes: ipv6?.prefixes };
}

/** Whether an address is the other one, or in it if that is a prefix. Text that is neither matches nothing. */
export function covers(addressOrPrefix: string, address: string): boolean {
  const range = rangeOf(addressOrPrefix);
  if (!range || !ipaddr.isValid(address)) return false;
  const [network, length] = range;
  const parsed = ipaddr.parse(address);
  return parsed.kind() === network.kind() && parsed.match(network, length);
}

function rangeOf(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] | undefined {
  if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text);
  if (!ipaddr.isValid(text)) return undefined;
  const address = ipaddr.parse(text);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}
