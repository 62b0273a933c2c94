import { errors } from '../api-error.js';
import type { AddressPool } from './address-pools.js';
import type { ConnectionTracking, Eni, Subnet, Tags } from './model.js';
import type { Region } from './region.js';

/** An ENI to be, already checked as far as one can without taking addresses. */
export interface NewInterface {
  subnetId: string;
  groupIds: readonly string[];
  description?: string;
  interfaceType?: string;
  tags?: Tags;
  requesterManaged?: boolean;
  addresses?: AddressRequest;
  primaryIpv6?: boolean;
  connectionTracking?: ConnectionTracking;
}

/** Addresses by name, by number, or both. */
export interface AddressRequest {
  /** Explicit IPv4 addresses, the primary first; where none is given one is chosen. */
  ipv4?: readonly string[];
  /** IPv4 addresses besides the primary one. */
  secondaryCount?: number;
  ipv4PrefixCount?: number;
  ipv6?: readonly string[];
  /** Absent: what the subnet gives. */
  ipv6Count?: number | undefined;
  ipv6PrefixCount?: number;
}

/** Addresses that an ENI has taken from its subnet. */
export interface TakenAddresses {
  ipv4: string[];
  ipv4Prefixes: string[];
  ipv6: string[];
  ipv6Prefixes: string[];
}

/**
 * Takes all of the addresses, or none.
 * @throws ApiError where one is not to be had.
 */
export function takeAddresses(
  region: Region,
  subnetId: string,
  request: AddressRequest,
): TakenAddresses {
  const pool = (): AddressPool => region.pool(subnetId);
  const taken: TakenAddresses = { ipv4: [], ipv4Prefixes: [], ipv6: [], ipv6Prefixes: [] };
  try {
    request.ipv4?.forEach((address) => void taken.ipv4.push(pool().claim(address)));
    times(request.secondaryCount, () => void taken.ipv4.push(pool().take()));
    times(request.ipv4PrefixCount, () => void taken.ipv4Prefixes.push(pool().takePrefix()));
    if (request.ipv6?.length || request.ipv6Count || request.ipv6PrefixCount) {
      const ipv6Pool = region.ipv6Pool(subnetId);
      request.ipv6?.forEach((address) => void taken.ipv6.push(ipv6Pool.claim(address)));
      times(request.ipv6Count, () => void taken.ipv6.push(ipv6Pool.take()));
      times(request.ipv6PrefixCount, () => void taken.ipv6Prefixes.push(ipv6Pool.takePrefix()));
    }
    return taken;
  } catch (err) {
    releaseAddresses(region, subnetId, taken);
    throw err;
  }
}

export function releaseAddresses(region: Region, subnetId: string, taken: TakenAddresses): void {
  for (const address of [...taken.ipv4, ...taken.ipv4Prefixes]) {
    region.pool(subnetId).release(address);
  }
  for (const address of [...taken.ipv6, ...taken.ipv6Prefixes]) {
    region.ipv6Pool(subnetId).release(address);
  }
}

/** @throws ApiError for an unknown subnet, a full one, or a Region that has its quota of ENIs. */
export function createInterface(region: Region, spec: NewInterface): Eni {
  const subnet = region.subnets.get(spec.subnetId);
  if (!subnet) {
    throw errors.subnetsNotFound([spec.subnetId]);
  }
  const { interfaces: quota } = region.settings.quota;
  if (region.enis.size >= quota) {
    throw errors.interfaceQuota(quota);
  }
  const taken = takeAddresses(region, subnet.id, addressesIn(subnet, spec.addresses ?? {}));
  const sequence = region.nextSequence();
  const eni: Eni = {
    id: region.newId('eni'),
    sequence,
    createdAt: region.clock.now(),
    subnetId: subnet.id,
    vpcId: subnet.vpcId,
    zone: subnet.zone,
    description: spec.description ?? '',
    interfaceType: spec.interfaceType ?? 'interface',
    macAddress: macAddress(sequence),
    privateIpAddresses: taken.ipv4,
    ipv4Prefixes: taken.ipv4Prefixes,
    ipv6Addresses: taken.ipv6,
    ipv6Prefixes: taken.ipv6Prefixes,
    primaryIpv6: spec.primaryIpv6 ?? false,
    groupIds: spec.groupIds,
    sourceDestCheck: true,
    connectionTracking: spec.connectionTracking ?? {},
    requesterManaged: spec.requesterManaged ?? false,
    tags: spec.tags ?? {},
    associations: [],
  };
  region.enis.put(eni);
  return eni;
}

/** What the subnet gives beside what is asked for: a primary IPv4 address, an IPv6 one where it says so. */
function addressesIn(
  subnet: Subnet,
  { ipv4 = [], secondaryCount = 0, ipv6 = [], ipv6Count, ...others }: AddressRequest,
): AddressRequest {
  const unasked = subnet.assignIpv6AddressOnCreation && ipv6.length === 0 ? 1 : 0;
  const request = { ...others, ipv4, ipv6, ipv6Count: ipv6Count ?? unasked };
  if (!subnet.ipv6Native) {
    return { ...request, secondaryCount: secondaryCount + (ipv4.length === 0 ? 1 : 0) };
  }
  if (ipv6.length + request.ipv6Count === 0) {
    throw errors.invalidCombination(
      `An interface in the IPv6-only subnet '${subnet.id}' needs an IPv6 address`,
    );
  }
  return { ...request, secondaryCount };
}

/** Removes an ENI, whatever holds it. */
export function removeInterface(region: Region, eni: Eni): void {
  region.enis.delete(eni.id);
  releaseAddresses(region, eni.subnetId, {
    ipv4: [...eni.privateIpAddresses],
    ipv4Prefixes: [...eni.ipv4Prefixes],
    ipv6: [...eni.ipv6Addresses],
    ipv6Prefixes: [...eni.ipv6Prefixes],
  });
}

function macAddress(sequence: number): string {
  const digits = sequence.toString(16).padStart(10, '0');
  return `02:${digits.match(/../g)?.join(':')}`;
}

function times(count: number | undefined, work: () => void): void {
  for (let i = 0; i < (count ?? 0); i++) {
    work();
  }
}
