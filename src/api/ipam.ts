import { ValidateBy, type ValidationArguments } from 'class-validator';

const IPAM_TYPES = ['host-local', 'static', 'dhcp', 'whereabouts'] as const;

/** A part of a subnet for the plugin host-local. */
interface IPAMRange {
  subnet: string;
  rangeStart?: string;
  rangeEnd?: string;
  gateway?: string;
}

/**
 * The `ipam` section of a CNI configuration. Only these fields: others name files on the node, such as `dataDir` of
 * host-local, which a user of NodeENIs must not choose.
 */
export interface IPAM {
  type: (typeof IPAM_TYPES)[number];
  /** host-local: one range, or `ranges`. */
  subnet?: string;
  rangeStart?: string;
  rangeEnd?: string;
  ranges?: IPAMRange[][];
  /** static. */
  addresses?: { address: string; gateway?: string }[];
  /** whereabouts. */
  range?: string;
  range_start?: string;
  range_end?: string;
  exclude?: string[];
  network_name?: string;
  /** host-local and whereabouts. */
  gateway?: string;
  /** host-local and static. */
  routes?: PodRoute[];
}

/** A route in a pod. */
export interface PodRoute {
  dst: string;
  /** Default: the gateway of the addresses. */
  gw?: string;
}

/** The fields of each type, besides `type`. */
const FIELDS: Record<IPAM['type'], readonly (keyof IPAM)[]> = {
  'host-local': ['subnet', 'rangeStart', 'rangeEnd', 'ranges', 'gateway', 'routes'],
  static: ['addresses', 'routes'],
  dhcp: [],
  whereabouts: ['range', 'range_start', 'range_end', 'exclude', 'gateway', 'network_name'],
};

const ADDRESS = /^[0-9a-fA-F:.]{2,45}$/;
const CIDR = /^[0-9a-fA-F:.]{2,45}\/[0-9]{1,3}$/;
const NETWORK_NAME = /^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/;
/** Entries of each list, as the CRD limits them. */
const MAX_ENTRIES = 16;

type Check = (value: unknown) => boolean;

const isAddress: Check = (value) => typeof value === 'string' && ADDRESS.test(value);
const isCIDR: Check = (value) => typeof value === 'string' && CIDR.test(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.length <= MAX_ENTRIES && value.every(check);
const objectOf =
  (required: Record<string, Check>, optional: Record<string, Check> = {}): Check =>
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries(required).every(([key, check]) => check(Reflect.get(value, key))) &&
    Object.entries(value).every(([key, member]) =>
      (required[key] ?? optional[key] ?? (() => false))(member),
    );

const VALUES: Record<Exclude<keyof IPAM, 'type'>, Check> = {
  subnet: isCIDR,
  rangeStart: isAddress,
  rangeEnd: isAddress,
  ranges: listOf(
    listOf(
      objectOf(
        { subnet: isCIDR },
        { rangeStart: isAddress, rangeEnd: isAddress, gateway: isAddress },
      ),
    ),
  ),
  addresses: listOf(objectOf({ address: isCIDR }, { gateway: isAddress })),
  range: isCIDR,
  range_start: isAddress,
  range_end: isAddress,
  exclude: listOf(isCIDR),
  network_name: (value) => typeof value === 'string' && NETWORK_NAME.test(value),
  gateway: isAddress,
  routes: listOf(objectOf({ dst: isCIDR }, { gw: isAddress })),
};

/** Class-validator rule for {@link IPAM}. */
export function IsIPAM(): PropertyDecorator {
  return ValidateBy({
    name: 'isIPAM',
    validator: {
      validate: (value: unknown) => ipamFault(value) === undefined,
      defaultMessage: (args?: ValidationArguments) =>
        `networkAttachment.ipam ${ipamFault(args?.value) ?? 'is not valid'}`,
    },
  });
}

/** Class-validator rule for a list of {@link PodRoute}. */
export function IsPodRoutes(): PropertyDecorator {
  return ValidateBy({
    name: 'isPodRoutes',
    validator: {
      validate: (value: unknown) => VALUES.routes(value),
      defaultMessage: () =>
        'networkAttachment.routes must be a list of routes such as {dst: 10.1.0.0/16}',
    },
  });
}

function ipamFault(ipam: unknown): string | undefined {
  const type: unknown = typeof ipam === 'object' && ipam !== null ? Reflect.get(ipam, 'type') : '';
  const known = IPAM_TYPES.find((each) => each === type);
  if (!known) {
    return `must have one of the types ${IPAM_TYPES.join(', ')}`;
  }
  const { type: _, ...fields } = ipam as IPAM;
  for (const [field, value] of Object.entries(fields)) {
    if (!FIELDS[known].some((each) => each === field)) {
      return `of type ${known} must not have the field ${JSON.stringify(field)}: remove it`;
    }
    if (!VALUES[field as keyof typeof VALUES](value)) {
      return `has a value in ${field} that is not valid: use addresses such as 10.0.64.9 and ranges such as 10.0.64.0/24`;
    }
  }
  const { ranges, subnet, range } = ipam as IPAM;
  if (known === 'host-local' && (ranges === undefined) === (subnet === undefined)) {
    return 'of type host-local must have either subnet or ranges';
  }
  if (known === 'whereabouts' && range === undefined) {
    return 'of type whereabouts must have a range';
  }
  return undefined;
}
