import { errors } from '../api-error.js';
import type { Query } from '../protocol/query.js';
import type { XmlValue } from '../protocol/xml.js';
import { releaseAddresses, type TakenAddresses, takeAddresses } from '../region/interfaces.js';
import type { Eni } from '../region/model.js';
import type { Region } from '../region/region.js';
import { typeOf } from './attachments.js';
import { namedInterface } from './support/lookup.js';

const NONE: TakenAddresses = { ipv4: [], ipv4Prefixes: [], ipv6: [], ipv6Prefixes: [] };

export function assignPrivateIpAddresses(query: Query, region: Region): XmlValue {
  const eni = namedInterface(query, region);
  const ipv4 = query.list('PrivateIpAddress');
  const secondaryCount = query.integer('SecondaryPrivateIpAddressCount') ?? 0;
  const ipv4PrefixCount = query.integer('Ipv4PrefixCount') ?? 0;
  const asked = [ipv4.length, secondaryCount, ipv4PrefixCount].filter((count) => count > 0);
  if (asked.length !== 1) {
    throw errors.invalidCombination(
      'Specify exactly one of privateIpAddresses, secondaryPrivateIpAddressCount and ipv4PrefixCount',
    );
  }
  const present = eni.privateIpAddresses.length + eni.ipv4Prefixes.length;
  checkLimit(region, eni, present + ipv4.length + secondaryCount + ipv4PrefixCount);
  const taken = takeAddresses(region, eni.subnetId, { ipv4, secondaryCount, ipv4PrefixCount });
  region.enis.put({
    ...eni,
    privateIpAddresses: [...eni.privateIpAddresses, ...taken.ipv4],
    ipv4Prefixes: [...eni.ipv4Prefixes, ...taken.ipv4Prefixes],
  });
  return {
    networkInterfaceId: eni.id,
    assignedPrivateIpAddressesSet: taken.ipv4.map((privateIpAddress) => ({ privateIpAddress })),
    assignedIpv4PrefixSet: taken.ipv4Prefixes.map((ipv4Prefix) => ({ ipv4Prefix })),
  };
}

export function unassignPrivateIpAddresses(query: Query, region: Region): XmlValue {
  const eni = namedInterface(query, region);
  const ipv4 = query.list('PrivateIpAddress');
  const ipv4Prefixes = query.list('Ipv4Prefix');
  const [primary = '', ...secondary] = eni.privateIpAddresses;
  checkAssigned(ipv4, secondary);
  checkAssigned(ipv4Prefixes, eni.ipv4Prefixes);
  releaseAddresses(region, eni.subnetId, { ...NONE, ipv4, ipv4Prefixes });
  region.enis.put({
    ...eni,
    privateIpAddresses: [primary, ...without(secondary, ipv4)],
    associations: eni.associations.filter(
      ({ privateIpAddress }) => !ipv4.includes(privateIpAddress),
    ),
    ipv4Prefixes: without(eni.ipv4Prefixes, ipv4Prefixes),
  });
  return { return: true };
}

export function assignIpv6Addresses(query: Query, region: Region): XmlValue {
  const eni = namedInterface(query, region);
  const ipv6 = query.list('Ipv6Addresses');
  const ipv6Count = query.integer('Ipv6AddressCount') ?? 0;
  const ipv6PrefixCount = query.integer('Ipv6PrefixCount') ?? 0;
  const asked = [ipv6.length, ipv6Count, ipv6PrefixCount].filter((count) => count > 0);
  if (asked.length !== 1) {
    throw errors.invalidCombination(
      'Specify exactly one of ipv6Addresses, ipv6AddressCount and ipv6PrefixCount',
    );
  }
  const present = eni.ipv6Addresses.length + eni.ipv6Prefixes.length;
  checkLimit(region, eni, present + ipv6.length + ipv6Count + ipv6PrefixCount);
  const taken = takeAddresses(region, eni.subnetId, { ipv6, ipv6Count, ipv6PrefixCount });
  region.enis.put({
    ...eni,
    ipv6Addresses: [...eni.ipv6Addresses, ...taken.ipv6],
    ipv6Prefixes: [...eni.ipv6Prefixes, ...taken.ipv6Prefixes],
  });
  return {
    networkInterfaceId: eni.id,
    assignedIpv6Addresses: taken.ipv6,
    assignedIpv6PrefixSet: taken.ipv6Prefixes,
  };
}

export function unassignIpv6Addresses(query: Query, region: Region): XmlValue {
  const eni = namedInterface(query, region);
  const ipv6 = query.list('Ipv6Addresses');
  const ipv6Prefixes = query.list('Ipv6Prefix');
  checkAssigned(ipv6, eni.ipv6Addresses.slice(eni.primaryIpv6 ? 1 : 0));
  checkAssigned(ipv6Prefixes, eni.ipv6Prefixes);
  releaseAddresses(region, eni.subnetId, { ...NONE, ipv6, ipv6Prefixes });
  region.enis.put({
    ...eni,
    ipv6Addresses: without(eni.ipv6Addresses, ipv6),
    ipv6Prefixes: without(eni.ipv6Prefixes, ipv6Prefixes),
  });
  return {
    networkInterfaceId: eni.id,
    unassignedIpv6Addresses: ipv6,
    unassignedIpv6PrefixSet: ipv6Prefixes,
  };
}

/** The instance type sets the limit, so that a free ENI has none. */
function checkLimit(region: Region, eni: Eni, count: number): void {
  const instance = region.instances.get(eni.attachment?.instanceId ?? '');
  if (instance && count > typeOf(instance).addressesPerInterface) {
    throw errors.tooManyAddresses(eni.id);
  }
}

function checkAssigned(asked: readonly string[], assigned: readonly string[]): void {
  if (asked.some((address) => !assigned.includes(address))) {
    throw errors.invalidValue('Some of the specified addresses are not assigned to the interface');
  }
}

function without(all: readonly string[], some: readonly string[]): string[] {
  return all.filter((address) => !some.includes(address));
}
