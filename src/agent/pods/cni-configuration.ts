import type { ENIAttachment, PodNetwork } from '../../api/eni-attachment.js';
import { MANAGER_NAME } from '../../api/names.js';
import { parseSubnet, routerOf } from '../host/addresses.js';
import { type PodRange, podRanges } from './pod-ranges.js';

/** CNI specification 0.3.1: the version that Multus and the plugins have supported the longest. */
const CNI_VERSION = '0.3.1';

/** The interface that the pods use. */
export interface PodDevice {
  /** The kernel's name. */
  name: string;
  mtu: number;
}

/** A range of the plugin host-local. */
interface HostLocalRange {
  subnet: string;
  rangeStart?: string;
  rangeEnd?: string;
  gateway?: string;
}

export interface CniConfigurationOptions {
  attachment: ENIAttachment;
  network: PodNetwork;
  device: PodDevice;
  /** Type `routed`: which of the single addresses is the pods' gateway; `undefined`: the others have none. */
  gateway: string | undefined;
}

/**
 * The CNI configuration by which pods on this node get addresses of the ENI; `undefined` while the ENI has
 * none for pods. The order of the ENI's addresses does not change it. `managedBy` marks the file as the agent's:
 * plugins ignore it.
 */
export function cniConfiguration({
  attachment,
  network,
  device,
  gateway,
}: CniConfigurationOptions): string | undefined {
  const { name, type } = network;
  const { subnetCIDR } = attachment.spec;
  const ranges = podRanges(attachment).toSorted((a, b) => (a.match < b.match ? -1 : 1));
  const sets =
    type === 'routed'
      ? routedSets({ ranges, subnet: subnetCIDR, gateway })
      : bridgedSets(ranges, subnetCIDR);
  if (sets.length === 0) return undefined;
  const subnets = new Set(sets.flat().map(({ subnet }) => subnet));
  const plugin =
    type === 'routed'
      ? { type: 'ptp', ipMasq: false }
      : { type: 'ipvlan', mode: 'l2', master: device.name };
  // An ipvlan interface is in the subnet already.
  const routes = type === 'routed' && subnetCIDR !== undefined ? [{ dst: subnetCIDR }] : [];
  const configuration = {
    cniVersion: CNI_VERSION,
    name,
    managedBy: MANAGER_NAME,
    ...plugin,
    mtu: device.mtu,
    ipam: {
      type: 'host-local',
      ranges: sets,
      // ptp itself adds the route to the subnet of a pod's address, and fails if the route exists.
      routes: (network.routes ?? routes).filter(({ dst }) => !subnets.has(dst)),
    },
  };
  return `${JSON.stringify(configuration, undefined, 2)}\n`;
}

/**
 * The node's end of a pod's veth is the pod's gateway and needs an address that is on-link for the pod:
 * host-local uses the first one of a prefix, which leaves 13 of 16; of single addresses, one is used.
 */
function routedSets({ ranges, subnet, gateway }: RoutedRanges): HostLocalRange[][] {
  const prefixes = ranges.filter(({ kind }) => kind === 'prefix');
  const addresses = ranges.filter(({ kind, first }) => kind === 'address' && first !== gateway);
  const singles =
    gateway !== undefined && subnet !== undefined
      ? addresses.map(({ first }) => ({ subnet, rangeStart: first, rangeEnd: first, gateway }))
      : [];
  return [
    [...ofFamily(prefixes, 4).map(({ match }) => ({ subnet: match })), ...singles],
    ofFamily(prefixes, 6).map(({ match }) => ({ subnet: match })),
  ].filter((set) => set.length > 0);
}

interface RoutedRanges {
  ranges: readonly PodRange[];
  subnet: string | undefined;
  gateway: string | undefined;
}

/** Pods are in the subnet itself, and its router is their gateway. */
function bridgedSets(ranges: readonly PodRange[], subnet: string | undefined): HostLocalRange[][] {
  const parsed = parseSubnet(subnet);
  const ofIpv4 =
    parsed && subnet !== undefined
      ? ofFamily(ranges, 4).map(({ first, last }) => ({
          subnet,
          rangeStart: first,
          rangeEnd: last,
          gateway: routerOf(parsed),
        }))
      : [];
  return [ofIpv4, ofFamily(ranges, 6).map(({ match }) => ({ subnet: match }))].filter(
    (set) => set.length > 0,
  );
}

function ofFamily(ranges: readonly PodRange[], wanted: 4 | 6): PodRange[] {
  return ranges.filter(({ family }) => family === wanted);
}

/** A configuration that the agent wrote earlier. */
export interface OwnConfiguration {
  /** Of its first range that names one. */
  gateway: string | undefined;
}

/** Reads the content of a file; `undefined`: another program wrote it. */
export function ownConfiguration(content: string): OwnConfiguration | undefined {
  const parsed = parseOrNothing(content);
  if (member(parsed, 'managedBy') !== MANAGER_NAME) return undefined;
  const ranges = [member(member(parsed, 'ipam'), 'ranges')].flat(2);
  const gateways = ranges.map((range) => member(range, 'gateway'));
  return { gateway: gateways.find((gateway) => typeof gateway === 'string') };
}

function parseOrNothing(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}

function member(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined;
}
