import type { ENIAttachmentSpec } from '../../../api/eni-attachment.js';
import { type WantedAddresses, wantedIpv4, wantedIpv6 } from '../../../api/pod-pool.js';
import type { AddressCount, AddressSet, CreateEniRequest, Eni } from '../../../aws/ec2-gateway.js';

/** Addresses and prefixes to unassign from an ENI, and then to assign to it. */
export interface AddressChanges {
  unassignIpv4?: AddressSet;
  assignIpv4?: AddressCount;
  unassignIpv6?: AddressSet;
  assignIpv6?: AddressCount;
}

/** Whether something on the node uses an address, or an address of a prefix. */
export type IsInUse = (addressOrPrefix: string) => boolean;

type AddressesInCreate = Pick<
  CreateEniRequest,
  | 'privateIpAddress'
  | 'secondaryAddressCount'
  | 'ipv4PrefixCount'
  | 'ipv6AddressCount'
  | 'ipv6PrefixCount'
  | 'primaryIpv6'
>;

/**
 * The addresses in the Create call, so that they need no further call. EC2 accepts single IPv6 addresses or
 * prefixes in one call, not both: prefixes in addition to addresses follow.
 */
export function addressesInCreate(spec: ENIAttachmentSpec): AddressesInCreate {
  const { ipv4: { secondaryAddresses = 0, prefixes = 0 } = {}, ipv6 = {} } = spec;
  const { privateIPAddress: privateIpAddress } = spec;
  // An IPv6-only subnet has no IPv4 block, and EC2 assigns an address only on request.
  const ipv6AddressCount = Math.max(ipv6.addresses ?? 0, spec.subnetCIDR === undefined ? 1 : 0);
  return {
    ...(privateIpAddress === undefined ? {} : { privateIpAddress }),
    ...(secondaryAddresses > 0 ? { secondaryAddressCount: secondaryAddresses } : {}),
    ...(prefixes > 0 ? { ipv4PrefixCount: prefixes } : {}),
    ...(ipv6AddressCount > 0
      ? { ipv6AddressCount, ...(spec.ipv6Primary ? { primaryIpv6: true } : {}) }
      : ipv6.prefixes
        ? { ipv6PrefixCount: ipv6.prefixes }
        : {}),
  };
}

/**
 * The changes that give the ENI as many addresses as the spec says. Addresses in use stay, so the ENI can
 * have more for a while.
 */
export function addressChanges(
  spec: ENIAttachmentSpec,
  eni: Eni,
  isInUse: IsInUse = () => false,
): AddressChanges {
  const [, ...secondary] = eni.privateIpAddresses;
  const ofIpv4 = changesOf(
    wantedIpv4(spec),
    { addresses: secondary, prefixes: eni.ipv4Prefixes },
    isInUse,
  );
  // The first IPv6 address stays if it is the primary one, or if the subnet is IPv6-only.
  const kept = eni.hasPrimaryIpv6 || spec.subnetCIDR === undefined ? 1 : 0;
  const { addresses, prefixes } = wantedIpv6(spec);
  const ofIpv6 = changesOf(
    { addresses: addresses === undefined ? undefined : Math.max(0, addresses - kept), prefixes },
    { addresses: eni.ipv6Addresses.slice(kept), prefixes: eni.ipv6Prefixes },
    isInUse,
  );
  return {
    ...(ofIpv4.unassign ? { unassignIpv4: ofIpv4.unassign } : {}),
    ...(ofIpv4.assign ? { assignIpv4: ofIpv4.assign } : {}),
    ...(ofIpv6.unassign ? { unassignIpv6: ofIpv6.unassign } : {}),
    ...(ofIpv6.assign ? { assignIpv6: ofIpv6.assign } : {}),
  };
}

function changesOf(
  wanted: WantedAddresses,
  present: AddressSet,
  isInUse: IsInUse,
): { unassign?: AddressSet; assign?: AddressCount } {
  const { addresses = present.addresses.length, prefixes = present.prefixes.length } = wanted;
  const unassign = {
    addresses: surplus(present.addresses, addresses, isInUse),
    prefixes: surplus(present.prefixes, prefixes, isInUse),
  };
  const lacking = {
    addresses: addresses - present.addresses.length,
    prefixes: prefixes - present.prefixes.length,
  };
  return {
    ...(unassign.addresses.length + unassign.prefixes.length > 0 ? { unassign } : {}),
    // EC2 accepts one kind per call; the next step assigns the other.
    ...(lacking.addresses > 0
      ? { assign: { addresses: lacking.addresses } }
      : lacking.prefixes > 0
        ? { assign: { prefixes: lacking.prefixes } }
        : {}),
  };
}

/** The last unused ones of those in excess of `count`. */
function surplus(present: readonly string[], count: number, isInUse: IsInUse): string[] {
  const free = present.filter((each) => !isInUse(each));
  return free.slice(Math.max(0, free.length - Math.max(0, present.length - count)));
}
