import type { HostLink } from '../../host/host-network.js';
import {
  type Attributes,
  attribute,
  checkHeader,
  nested,
  nullTerminated,
  numberOf,
  readAttributes,
  readString,
  readStrings,
  readU32,
  u32,
} from './netlink-codec.js';
import { Family } from './rtnetlink.js';

/** struct ifinfomsg: family u8, pad u8, type u16, index s32, flags u32, change u32. */
const HEADER_BYTES = 16;
const INDEX_AT = 4;
const FLAGS_AT = 8;
const CHANGE_AT = 12;

/** IFF_UP: the administrative state. */
const UP = 1;

/** IFLA_… */
const Attribute = {
  address: 1,
  name: 3,
  mtu: 4,
  operState: 16,
  info: 18,
  familySpecific: 26,
  extendedMask: 29,
  minMtu: 50,
  maxMtu: 51,
  properties: 52,
  altName: 53,
  parentName: 56,
  parentBus: 57,
} as const;

/** IFLA_INFO_KIND, inside IFLA_LINKINFO. */
const KIND = 1;
/** RTEXT_FILTER_SKIP_STATS: leaves out the IPv6 counters, a third of each device's message. */
const SKIP_STATISTICS = 8;
/** IFLA_INET_CONF, inside IFLA_AF_SPEC's part for IPv4. */
const IPV4_SETTINGS = 1;
/** IPV4_DEVCONF_RP_FILTER (include/uapi/linux/ip.h). */
const REVERSE_PATH_FILTER = 8;
const PROMOTE_SECONDARIES = 20;

/** IF_OPER_…, in the order of their numbers. */
const OPER_STATES = [
  'unknown',
  'notpresent',
  'down',
  'lowerlayerdown',
  'testing',
  'dormant',
  'up',
] as const;

/**
 * The device that an RTM_NEWLINK or RTM_DELLINK is about. Undefined where the message is of another family: a
 * bridge reports its ports with another family, and a port that leaves its bridge still exists.
 * @throws Error if the bytes are not such a message
 */
export function readLink(data: Buffer): HostLink | undefined {
  checkHeader(data, HEADER_BYTES);
  if (data.readUInt8(0) !== Family.unspecified) return undefined;
  const attributes = readAttributes(data.subarray(HEADER_BYTES));
  return {
    index: readU32(data.subarray(INDEX_AT, INDEX_AT + 4)),
    name: readString(attributes.get(Attribute.name) ?? Buffer.alloc(1)),
    altNames: readStrings(
      attributes.get(Attribute.properties) ?? Buffer.alloc(0),
      Attribute.altName,
    ),
    macAddress: macText(attributes.get(Attribute.address)),
    mtu: numberOf(attributes, Attribute.mtu) ?? 0,
    up: (readU32(data.subarray(FLAGS_AT, FLAGS_AT + 4)) & UP) !== 0,
    operState: OPER_STATES[attributes.get(Attribute.operState)?.[0] ?? 0] ?? 'unknown',
    ...optionalOf(attributes),
  };
}

function optionalOf(attributes: Attributes): Partial<HostLink> {
  const minMtu = numberOf(attributes, Attribute.minMtu);
  const maxMtu = numberOf(attributes, Attribute.maxMtu);
  const kind = readAttributes(attributes.get(Attribute.info) ?? Buffer.alloc(0)).get(KIND);
  const parent = attributes.get(Attribute.parentName);
  const bus = attributes.get(Attribute.parentBus);
  return {
    ...(minMtu === undefined ? {} : { minMtu }),
    ...(maxMtu === undefined ? {} : { maxMtu }),
    ...(kind === undefined ? {} : { kind: readString(kind) }),
    ...(parent && bus && readString(bus) === 'pci' ? { pciAddress: readString(parent) } : {}),
  };
}

/** Body of a request for all devices. */
export function linkQuery(): Uint8Array[] {
  return [header({ index: 0 }), ...attribute(Attribute.extendedMask, u32(SKIP_STATISTICS))];
}

export function upChange(index: number): Uint8Array[] {
  return [header({ index, flags: UP, change: UP })];
}

export function mtuChange(index: number, mtu: number): Uint8Array[] {
  return [header({ index }), ...attribute(Attribute.mtu, u32(mtu))];
}

/**
 * Sets conf/DEVICE/rp_filter by rtnetlink: /proc/sys/net is read-only in a container that is not privileged.
 */
export function reversePathFilterChange(index: number, mode: number): Uint8Array[] {
  return ipv4Setting(index, REVERSE_PATH_FILTER, mode);
}

/** Sets conf/DEVICE/promote_secondaries: removing an address keeps the others of its subnet. */
export function promoteSecondaries(index: number): Uint8Array[] {
  return ipv4Setting(index, PROMOTE_SECONDARIES, 1);
}

function ipv4Setting(index: number, setting: number, value: number): Uint8Array[] {
  const ipv4 = nested(Family.ipv4, nested(IPV4_SETTINGS, attribute(setting, u32(value))));
  return [header({ index }), ...nested(Attribute.familySpecific, ipv4)];
}

/** Body of RTM_NEWLINKPROP and RTM_DELLINKPROP. */
export function altNameChange(index: number, name: string): Uint8Array[] {
  const altName = attribute(Attribute.altName, nullTerminated(name));
  return [header({ index }), ...nested(Attribute.properties, altName)];
}

function header({ index, flags = 0, change = 0 }: Record<'index', number> & HeaderFlags): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeInt32LE(index, INDEX_AT);
  bytes.writeUInt32LE(flags, FLAGS_AT);
  bytes.writeUInt32LE(change, CHANGE_AT);
  return bytes;
}

interface HeaderFlags {
  flags?: number;
  /** Which of the flags to change. */
  change?: number;
}

function macText(bytes: Buffer = Buffer.alloc(0)): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}
