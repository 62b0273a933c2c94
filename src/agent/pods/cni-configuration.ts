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

/**
 * The CNI configuration by which pods on this node get addresses of the ENI; `undefined` while the ENI has
 * none for pods. `managedBy` marks the file as the agent's: plugins ignore it.
 */
export function cniConfiguration(
  attachment: ENIAttachment,
  network: PodNetwork,
  device: PodDevice,
): string | undefined {
  const { name, type } = network;
  const { subnetCIDR } = attachment.spec;
  const ranges = podRanges(attachment);
  const sets = type === 'routed' ? routedSets(ranges, subnetCIDR) : bridgedSets(ranges, subnetCIDR);
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
 * host-local uses the first one of a prefix, which leaves 13 of 16; of single addresses, the first one is
 * used.
 */
function routedSets(ranges: readonly PodRange[], subnet: string | undefined): HostLocalRange[][] {
  const prefixes = ranges.filter(({ kind }) => kind === 'prefix');
  const [gateway, ...addresses] = ranges.filter(({ kind }) => kind === 'address');
  const singles = addresses.flatMap(({ first }) =>
    gateway && subnet !== undefined
      ? [{ subnet, rangeStart: first, rangeEnd: first, gateway: gateway.first }]
      : [],
  );
  return [
    [...ofFamily(prefixes, 4).map(({ match }) => ({ subnet: match })), ...singles],
    ofFamily(prefixes, 6).map(({ match }) => ({ subnet: match })),
  ].filter((set) => set.length > 0);
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
