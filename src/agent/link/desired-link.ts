import type { ENIAttachment } from '../../api/eni-attachment.js';
import { type Fault, isLinkFault, linkFault } from '../../api/link-faults.js';
import { eniAttachmentSpecFaults } from '../../api/validate.js';
import {
  cidrOf,
  familyOf,
  IPV6_ROUTER,
  isMacAddress,
  parseSubnet,
  routerOf,
  type Subnet,
} from '../host/addresses.js';
import type { HostRoute, HostRule } from '../host/host-network.js';
import { MAIN_TABLE, OWN_PROTOCOL, priorityToPods, tableOf } from '../host/own-ids.js';
import { type PodRange, podRanges } from '../pods/pod-ranges.js';

/** An address of the attachment, with the prefix length to set on the interface. */
export interface DesiredAddress {
  family: 4 | 6;
  address: string;
  prefixLength: number;
  /** Whether the kernel adds a route to the subnet to the main table. */
  prefixRoute: boolean;
}

/** What an attachment requires of the host, whichever device has its MAC address. */
export interface DesiredLink {
  macAddress: string;
  /** Undefined: the agent leaves the state alone. */
  up: true | undefined;
  mtu: number | undefined;
  altName: string | undefined;
  addresses: DesiredAddress[];
  /** Which of them to confirm with the subnet's DHCP server. */
  dhcpAddress: string | undefined;
  /** Routes of the ENI's own routing table; the planner adds the index of the device. */
  routes: Omit<HostRoute, 'linkIndex'>[];
  rules: HostRule[];
  /** Accept packets whose reverse path leads to another device (rp_filter). */
  looseReversePath: boolean;
  table: number;
}

/**
 * The desired state of the host for an attachment; undefined until EC2 has given the ENI a MAC address. For an
 * attachment that is being deleted, it is empty, so that the agent removes what it set.
 */
export function desiredLink(
  attachment: ENIAttachment,
  { tableBase }: { tableBase: number },
): DesiredLink | Fault | undefined {
  const faults = eniAttachmentSpecFaults(attachment.spec);
  if (faults.length > 0) return linkFault('InvalidAttachment', faults.join('; '));
  const { spec, status = {}, metadata } = attachment;
  if (status.macAddress === undefined) return undefined;
  const macAddress = String(status.macAddress).toLowerCase();
  if (!isMacAddress(macAddress)) {
    return linkFault(
      'InvalidAttachment',
      `status.macAddress "${status.macAddress}" is not a MAC address`,
    );
  }
  const table = tableOf(spec, tableBase);
  const nothing = {
    addresses: [],
    dhcpAddress: undefined,
    routes: [],
    rules: [],
    looseReversePath: false,
  };
  if (metadata.deletionTimestamp !== undefined) {
    return { macAddress, table, up: undefined, mtu: undefined, altName: undefined, ...nothing };
  }
  const base: DesiredLink = {
    macAddress,
    table,
    up: spec.linkState === 'unmanaged' ? undefined : true,
    mtu: spec.mtu,
    altName: spec.interfaceName,
    ...nothing,
  };
  const pods = spec.podNetwork?.type === 'routed' ? podRanges(attachment) : [];
  // The node forwards for its pods: for that, the device needs an address, and the ENI's table its routes.
  const forwards = pods.length > 0;
  const hasAddresses = forwards || spec.addressing === 'static' || spec.addressing === 'dhcp';
  const hasRoutes = forwards || spec.routing === 'policy';
  if (!hasAddresses && !hasRoutes) return base;

  const own = ownAddresses(attachment);
  if (isLinkFault(own)) return own;
  const { subnet, addresses } = own;
  return {
    ...base,
    looseReversePath: hasRoutes,
    // EC2's DHCP server confirms only the primary IPv4 address of an ENI, which comes first.
    dhcpAddress:
      spec.addressing === 'dhcp'
        ? addresses.find(({ family }) => family === 4)?.address
        : undefined,
    addresses: hasAddresses
      ? addresses.map(({ family, address }) => ({
          family,
          address,
          // Traffic to other addresses of an IPv6 subnet goes through the router.
          prefixLength: family === 4 && subnet ? subnet.prefixLength : 128,
          prefixRoute: !hasRoutes && family === 4,
        }))
      : [],
    ...routing({ addresses: hasRoutes ? addresses : [], pods, subnet, table }),
  };
}

interface OwnAddresses {
  /** Undefined if the ENI has no IPv4 address. */
  subnet: Subnet | undefined;
  addresses: { family: 4 | 6; address: string }[];
}

function ownAddresses({ spec, status = {} }: ENIAttachment): OwnAddresses | Fault {
  // The others are for pods, where there is a network for them.
  const ipv4 = (status.privateIPAddresses ?? []).slice(0, spec.podNetwork ? 1 : undefined);
  const listed: unknown = [...ipv4, ...(status.ipv6Addresses ?? [])];
  const addresses: OwnAddresses['addresses'] = [];
  for (const address of listed as unknown[]) {
    const family = typeof address === 'string' ? familyOf(address) : undefined;
    if (family === undefined) {
      return linkFault(
        'InvalidAttachment',
        `${JSON.stringify(address)} in its status is not an IP address`,
      );
    }
    addresses.push({ family, address: address as string });
  }
  const subnet = parseSubnet(spec.subnetCIDR);
  if (!subnet && addresses.some(({ family }) => family === 4)) {
    return linkFault(
      'InvalidAttachment',
      `spec.subnetCIDR "${spec.subnetCIDR}" is not an IPv4 network with a prefix length of at most 30`,
    );
  }
  return { subnet, addresses };
}

/** What leaves by the ENI: packets from these addresses, and from the pods that have others of the ENI. */
function routing({
  addresses,
  pods,
  subnet,
  table,
}: OwnAddresses & { pods: readonly PodRange[]; table: number }): Pick<
  DesiredLink,
  'routes' | 'rules'
> {
  const common = { table, protocol: OWN_PROTOCOL };
  const has = (wanted: 4 | 6) => [...addresses, ...pods].some(({ family }) => family === wanted);
  const routes: DesiredLink['routes'] = [];
  if (subnet && has(4)) {
    routes.push({ ...common, family: 4, destination: cidrOf(subnet), scope: 'link' });
    routes.push({
      ...common,
      family: 4,
      destination: 'default',
      gateway: routerOf(subnet),
      scope: 'global',
      onLink: true,
    });
  }
  if (has(6)) {
    routes.push({
      ...common,
      family: 6,
      destination: 'default',
      gateway: IPV6_ROUTER,
      scope: 'global',
    });
  }
  const rules = addresses.map(({ family, address }) => ({
    family,
    priority: table,
    from: `${address}/${family === 4 ? 32 : 128}`,
    ...common,
  }));
  const priority = priorityToPods(table);
  const podRules = pods.flatMap(({ family, match }) => [
    { family, priority, to: match, table: MAIN_TABLE, protocol: OWN_PROTOCOL },
    { family, priority: table, from: match, ...common },
  ]);
  return { routes, rules: [...rules, ...podRules] };
}
