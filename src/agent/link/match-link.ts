import type { HostLink } from '../host/host-network.js';

/** Kinds of devices that stand upon another one and often have its MAC address. */
const UPPER_KINDS = new Set([
  'bond',
  'bridge',
  'ipvlan',
  'ipvtap',
  'macvlan',
  'macvtap',
  'team',
  'vlan',
  'vrf',
]);

/** The device itself that has the MAC address (lower case, with colons), not what stands upon it. */
export function matchLink(links: readonly HostLink[], macAddress: string): HostLink | undefined {
  return links.find((link) => link.macAddress === macAddress && isDevice(link));
}

export function isDevice({ kind }: HostLink): boolean {
  return kind === undefined || !UPPER_KINDS.has(kind);
}
