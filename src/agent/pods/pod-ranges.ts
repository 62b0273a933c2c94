import ipaddr from 'ipaddr.js';
import type { ENIAttachment } from '../../api/eni-attachment.js';

/** Addresses of the ENI that are for pods: a prefix, or one address. */
export interface PodRange {
  family: 4 | 6;
  /** CIDR; a single address has all its bits. */
  match: string;
  kind: 'prefix' | 'address';
  /** The first and the last address of it. */
  first: string;
  last: string;
}

/**
 * The addresses of the ENI that pods get: IPv4 beside the primary address, which is the node's own, and prefixes. What
 * the status has that is no address is left out.
 */
export function podRanges({ status = {} }: ENIAttachment): PodRange[] {
  const [, ...secondary] = status.privateIPAddresses ?? [];
  return [
    ...(status.ipv4Prefixes ?? []).flatMap((prefix) => prefixRange(prefix, 4)),
    ...secondary.flatMap((address) => addressRange(address)),
    ...(status.ipv6Prefixes ?? []).flatMap((prefix) => prefixRange(prefix, 6)),
  ];
}

function addressRange(address: string): PodRange[] {
  return ipaddr.IPv4.isValidFourPartDecimal(address)
    ? [{ family: 4, match: `${address}/32`, kind: 'address', first: address, last: address }]
    : [];
}

function prefixRange(prefix: string, family: 4 | 6): PodRange[] {
  if (!ipaddr.isValidCIDR(prefix)) return [];
  const [network, length] = ipaddr.parseCIDR(prefix);
  if (network.kind() !== `ipv${family}`) return [];
  const first = network.toString();
  const last = family === 4 ? ipaddr.IPv4.broadcastAddressFromCIDR(prefix).toString() : first;
  return [{ family, match: `${first}/${length}`, kind: 'prefix', first, last }];
}
