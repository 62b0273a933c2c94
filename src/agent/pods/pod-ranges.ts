import ipaddr from 'ipaddr.js';
import type { ENIAttachment } from '../../api/eni-attachment.js';
import { podPoolOf } from '../../api/pod-pool.js';

/** Addresses of the ENI that are for pods: a prefix, or one address. */
export interface PodRange {
  family: 4 | 6;
  /** CIDR; for a single address, with its full length. */
  match: string;
  kind: 'prefix' | 'address';
  /** Its first and its last address. */
  first: string;
  last: string;
}

/**
 * The addresses of the ENI that are for pods: IPv4 addresses other than the primary one, which belongs to the
 * node, and prefixes. Invalid entries of the status are skipped.
 */
export function podRanges({ status }: ENIAttachment): PodRange[] {
  const { ipv4Addresses, ipv4Prefixes, ipv6Prefixes } = podPoolOf(status);
  return [
    ...ipv4Prefixes.flatMap((prefix) => prefixRange(prefix, 4)),
    ...ipv4Addresses.flatMap((address) => addressRange(address)),
    ...ipv6Prefixes.flatMap((prefix) => prefixRange(prefix, 6)),
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
