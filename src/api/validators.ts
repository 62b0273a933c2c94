import { ValidateBy, type ValidationArguments, type ValidationOptions } from 'class-validator';
import ipaddr from 'ipaddr.js';

/**
 * Class-validator rule for a group of fields of which at least one must be set; an empty list or string is not set.
 * Put it on a required member: class-validator skips the rules of absent optional members.
 */
export function AtLeastOneOf(
  fields: readonly string[],
  options?: ValidationOptions,
): PropertyDecorator {
  return ValidateBy(
    {
      // class-validator keeps one message per name.
      name: `atLeastOneOf:${fields.join()}`,
      validator: {
        validate: (_value: unknown, args?: ValidationArguments) =>
          setFields(fields, args?.object).length > 0,
        defaultMessage: () => `set at least one of ${fields.join(', ')}: none is set`,
      },
    },
    options,
  );
}

function setFields(fields: readonly string[], object: object = {}): string[] {
  return fields.filter((field) => {
    const value: unknown = Reflect.get(object, field);
    const isEmpty = value === '' || (Array.isArray(value) && value.length === 0);
    return value !== undefined && !isEmpty;
  });
}

const LABEL_KEY = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

/** Class-validator rule for `nodeSelector`: one to 32 pairs of a valid label key and a valid label value. */
export function IsLabelSelectorMap(options?: ValidationOptions): PropertyDecorator {
  return ValidateBy(
    {
      name: 'isLabelSelectorMap',
      validator: {
        validate: (value: unknown) => labelSelectorFault(value) === undefined,
        defaultMessage: (args?: ValidationArguments) =>
          `$property ${labelSelectorFault(args?.value) ?? 'is not valid'}`,
      },
    },
    options,
  );
}

function labelSelectorFault(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return 'must be a map of labels, such as {role: storage}';
  }
  const entries = Object.entries(value);
  if (entries.length === 0) {
    return 'must name at least one label: an empty selector would select every node';
  }
  if (entries.length > 32) {
    return `must have at most 32 labels, and has ${entries.length}`;
  }
  for (const [key, label] of entries) {
    if (key.length > 317 || !LABEL_KEY.test(key)) {
      return `has the key ${JSON.stringify(key)}, which is not a valid label key such as role or example.com/role`;
    }
    if (typeof label !== 'string' || label.length > 63 || !LABEL_VALUE.test(label)) {
      return `has the value ${JSON.stringify(label)} for ${key}, which is not a valid label value (at most 63 letters, digits, '-', '_' and '.')`;
    }
  }
  return undefined;
}

/** Class-validator rule for an IntOrString of at least one: `2`, or `25%`. */
export function IsNumberOrPercentage(options?: ValidationOptions): PropertyDecorator {
  return ValidateBy(
    {
      name: 'isNumberOrPercentage',
      validator: {
        validate: (value: unknown) =>
          typeof value === 'string'
            ? /^([1-9]|[1-9][0-9]|100)%$/.test(value)
            : Number.isInteger(value) && Number(value) >= 1,
        defaultMessage: () =>
          `$property must be a whole number from 1, or a percentage such as 25%`,
      },
    },
    options,
  );
}

/** EC2 User Guide, "Tag restrictions": 50 tags per resource; the operator's take ten of them. */
const MAX_USER_TAGS = 40;
/**
 * What a user's tag key must not begin with, in any case, because IAM compares tag keys case-insensitively:
 * keys of AWS and of this operator, and keys by which other controllers recognize their resources.
 */
const RESERVED_TAG_PREFIXES = [
  'aws:',
  'eks:',
  'kubernetes.io/cluster/',
  'cluster.k8s.amazonaws.com/',
  'node.k8s.amazonaws.com/',
  'networking.k8s.aws/',
];

/** Class-validator rule for the user's tags of an ENI. */
export function IsUserTags(options?: ValidationOptions): PropertyDecorator {
  return ValidateBy(
    {
      name: 'isUserTags',
      validator: {
        validate: (value: unknown) => userTagsFault(value) === undefined,
        defaultMessage: (args?: ValidationArguments) =>
          `$property ${userTagsFault(args?.value) ?? 'is not valid'}`,
      },
    },
    options,
  );
}

function userTagsFault(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return 'must be a map of tags, such as {team: storage}';
  }
  const entries = Object.entries(value);
  if (entries.length > MAX_USER_TAGS) {
    return `must have at most ${MAX_USER_TAGS} tags, and has ${entries.length}`;
  }
  for (const [key, tag] of entries) {
    const lowered = key.toLowerCase();
    const isReserved =
      key === 'Name' || RESERVED_TAG_PREFIXES.some((prefix) => lowered.startsWith(prefix));
    if (isReserved) {
      return `has the key ${JSON.stringify(key)}, which is reserved: choose another`;
    }
    if (key === '' || key.length > 128 || typeof tag !== 'string' || tag.length > 256) {
      return `has a key longer than 128 characters, an empty one, or a value longer than 256: ${JSON.stringify(key)}`;
    }
  }
  return undefined;
}

/** Each tag is a filter of one read. */
const MAX_SELECTING_TAGS = 10;

/** Class-validator rule for tags that select resources, with any key. */
export function IsTagSelection(): PropertyDecorator {
  return ValidateBy({
    name: 'isTagSelection',
    validator: {
      validate: (value: unknown) => tagSelectionFault(value) === undefined,
      defaultMessage: (args?: ValidationArguments) =>
        `$property ${tagSelectionFault(args?.value) ?? 'is not valid'}`,
    },
  });
}

function tagSelectionFault(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return 'must be a map of tags, such as {team: edge}';
  }
  const entries = Object.entries(value);
  if (entries.length === 0 || entries.length > MAX_SELECTING_TAGS) {
    return `must have 1 to ${MAX_SELECTING_TAGS} tags, and has ${entries.length}`;
  }
  const wrong = entries.find(
    ([key, tag]) => key === '' || key.length > 128 || typeof tag !== 'string' || tag.length > 256,
  );
  return wrong
    ? `has a key longer than 128 characters, an empty one, or a value longer than 256: ${JSON.stringify(wrong[0])}`
    : undefined;
}

/** Class-validator rule: deviceIndexPolicy Auto excludes deviceIndex. Put it on a required member. */
export function NoDeviceIndexWithAuto(options?: ValidationOptions): PropertyDecorator {
  return ValidateBy(
    {
      name: 'noDeviceIndexWithAuto',
      validator: {
        validate: (_value: unknown, args?: ValidationArguments) => {
          const { deviceIndexPolicy, deviceIndex } = (args?.object ?? {}) as Record<
            string,
            unknown
          >;
          return deviceIndexPolicy !== 'Auto' || deviceIndex === undefined;
        },
        defaultMessage: () =>
          'deviceIndexPolicy Auto picks the index: remove deviceIndex, or set the policy to Fixed',
      },
    },
    options,
  );
}

/**
 * Class-validator rule: a NetworkAttachmentDefinition refers to the device by its name, which must be the
 * same on every node.
 */
export function NamedWhereShared(options?: ValidationOptions): PropertyDecorator {
  return ValidateBy(
    {
      name: 'namedWhereShared',
      validator: {
        validate: (_value: unknown, args?: ValidationArguments) => {
          const [first] = setFields(['interfaceName', 'networkAttachment'], args?.object);
          return first !== 'networkAttachment';
        },
        defaultMessage: () =>
          'networkAttachment needs interfaceName, by which pods find the interface: add interfaceName',
      },
    },
    options,
  );
}

/** Class-validator rule for `enaExpress.enabled`: UDP uses ENA Express only with TCP. */
export function NoUdpUnlessEnabled(): PropertyDecorator {
  return ValidateBy({
    name: 'noUdpUnlessEnabled',
    validator: {
      validate: (enabled: unknown, args?: ValidationArguments) => {
        const { udp } = (args?.object ?? {}) as { udp?: unknown };
        return enabled !== false || udp !== true;
      },
      defaultMessage: () =>
        'enaExpress.udp needs enaExpress.enabled: set enabled to true, or remove udp',
    },
  });
}

/** Class-validator rule for a device index: card 0 has the launch interface at index 0. */
export function IsNotLaunchInterface(): PropertyDecorator {
  return ValidateBy({
    name: 'isNotLaunchInterface',
    validator: {
      validate: (value: unknown, args?: ValidationArguments) => {
        const { networkCardIndex } = (args?.object ?? {}) as { networkCardIndex?: unknown };
        return value !== 0 || (typeof networkCardIndex === 'number' && networkCardIndex > 0);
      },
      defaultMessage: () =>
        'deviceIndex 0 of network card 0 is the interface that the instance was launched with: set deviceIndex to 1 or more, or networkCardIndex to another card',
    },
  });
}

/**
 * Names that a kernel, a container runtime or a CNI plugin gives to interfaces. Pods attach to the interface by its
 * name: such a name could mean another device of the node.
 */
const HOST_INTERFACE_NAME =
  /^(lo$|(eth|ens|enp|eno|enx|veth|cni|docker|kube|cali|flannel|cilium|lxc|vxlan|geneve|genev_|virbr|tunl|wlan|nodelocaldns|ovs|ovn|weave|antrea|dummy|ifb|br-)|(br|bond|team|tun|tap|wg|usb|ib|gre|sit|vlan|macvlan|ipvlan)[0-9])/;

/** Class-validator rule for `interfaceName`. */
export function IsNotHostInterfaceName(): PropertyDecorator {
  return ValidateBy({
    name: 'isNotHostInterfaceName',
    validator: {
      validate: (value: unknown) => typeof value !== 'string' || !HOST_INTERFACE_NAME.test(value),
      defaultMessage: () =>
        'interfaceName must not be a name that the kernel or other software gives to interfaces, such as eth0, ens5 or cni0: choose another, such as eni-storage, not $value',
    },
  });
}

/** Class-validator rule for an object of which at least one of these fields must be set. */
export function HasAtLeastOneOf(fields: readonly string[]): PropertyDecorator {
  return ValidateBy({
    name: 'hasAtLeastOneOf',
    validator: {
      validate: (value: unknown) =>
        typeof value !== 'object' || value === null || setFields(fields, value).length > 0,
      defaultMessage: () =>
        `$property must have at least one of ${fields.join(', ')}: set one, or remove $property`,
    },
  });
}

/** Class-validator rule for an object of which at most one of these fields may be set. */
export function HasAtMostOneOf(fields: readonly string[]): PropertyDecorator {
  return ValidateBy({
    name: 'hasAtMostOneOf',
    validator: {
      validate: (value: unknown) =>
        typeof value !== 'object' || value === null || setFields(fields, value).length <= 1,
      defaultMessage: () =>
        `$property must have at most one of ${fields.join(' and ')}: remove one`,
    },
  });
}

/** Class-validator rule: what `networkAttachment.addresses: pool` needs, and excludes. Put it on a required member. */
export function HasPoolOfAddresses(): PropertyDecorator {
  return ValidateBy({
    name: 'hasPoolOfAddresses',
    validator: {
      validate: (_value: unknown, args?: ValidationArguments) =>
        poolFault(args?.object) === undefined,
      defaultMessage: (args?: ValidationArguments) => poolFault(args?.object) ?? '',
    },
  });
}

/** The part of a NodeENI's spec that the rule reads; it does not validate it. */
interface Pooled {
  networkAttachment?: { addresses?: unknown; type?: unknown; ipam?: unknown; routes?: unknown };
  ipv4?: { secondaryAddresses?: unknown; prefixes?: unknown };
  ipv6?: { prefixes?: unknown };
}

function poolFault(spec: Pooled = {}): string | undefined {
  const { networkAttachment, ipv4, ipv6 } = spec;
  const { addresses, type, ipam, routes } = networkAttachment ?? {};
  if (addresses === undefined) {
    return type === 'routed' || routes !== undefined
      ? 'networkAttachment of type routed, and its routes, need addresses: pool'
      : undefined;
  }
  if (type !== 'routed' && type !== 'ipvlan') {
    return 'networkAttachment.addresses needs the type routed or ipvlan';
  }
  if (ipam !== undefined) {
    return 'networkAttachment.addresses excludes ipam: remove one of them';
  }
  const counts = [ipv4?.secondaryAddresses, ipv4?.prefixes, ipv6?.prefixes];
  return counts.some((count) => typeof count === 'number' && count > 0)
    ? undefined
    : 'networkAttachment.addresses needs addresses: set ipv4.prefixes, ipv4.secondaryAddresses or ipv6.prefixes';
}

const IPV4 =
  /^(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])([.](25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])){3}$/;
/** Lengths of the prefixes that a pool can have. */
const POOL_PREFIX = /^([89]|[12][0-9]|3[0-2])$/;
const MAX_POOL_ENTRIES = 64;

/** Class-validator rule for an IPv4 address. */
export function IsIPv4Address(): PropertyDecorator {
  return ValidateBy({
    name: 'isIPv4Address',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && IPV4.test(value),
      defaultMessage: () => '$property must be an IPv4 address such as 10.0.64.9, not $value',
    },
  });
}

/** Class-validator rule for `ipv4.primary.fromPool`: IPv4 addresses and CIDR blocks, each once. */
export function IsIPv4Pool(): PropertyDecorator {
  return ValidateBy({
    name: 'isIPv4Pool',
    validator: {
      validate: (value: unknown) => ipv4PoolFault(value) === undefined,
      defaultMessage: (args?: ValidationArguments) =>
        `ipv4.primary.fromPool ${ipv4PoolFault(args?.value) ?? 'is not valid'}`,
    },
  });
}

function ipv4PoolFault(pool: unknown): string | undefined {
  if (!Array.isArray(pool) || pool.length === 0 || pool.length > MAX_POOL_ENTRIES) {
    return `must be a list of 1 to ${MAX_POOL_ENTRIES} addresses and CIDR blocks, such as [10.0.64.0/24]`;
  }
  const entries: readonly unknown[] = pool;
  for (const entry of entries) {
    const [address, length, ...others] = typeof entry === 'string' ? entry.split('/') : [];
    const isBlock = length !== undefined;
    if (
      address === undefined ||
      !IPV4.test(address) ||
      (isBlock && !POOL_PREFIX.test(length)) ||
      others.length > 0
    ) {
      return `must have IPv4 addresses such as 10.0.64.9 and CIDR blocks from /8 to /32 such as 10.0.64.0/24, not ${JSON.stringify(entry)}`;
    }
    const first = isBlock
      ? ipaddr.IPv4.networkAddressFromCIDR(`${address}/${length}`).toString()
      : address;
    if (first !== address) {
      return `must have blocks that begin at their first address, such as ${first}/${length}, not ${entry}: correct the address, or remove the length`;
    }
  }
  return new Set(entries).size < entries.length
    ? 'must name each block once: remove the repeated one'
    : undefined;
}
