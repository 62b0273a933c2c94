import type { HostRoute } from '../../host/host-network.js';
import {
  addressBytes,
  addressText,
  familyNumber,
  familyOfNumber,
  parsePrefix,
  prefixText,
} from './ip-bytes.js';
import { attribute, checkHeader, numberOf, readAttributes, readU32, u32 } from './netlink-codec.js';
import { RouteScope, scopeNumber, scopeOf } from './rtnetlink.js';

/**
 * struct rtmsg: family, destination length, source length, tos, table, protocol, scope, type (u8 each),
 * flags u32.
 */
const HEADER_BYTES = 12;
const PROTOCOL_AT = 5;
const TYPE_AT = 7;
const FLAGS_AT = 8;

/** RTA_… */
const Attribute = {
  destination: 1,
  device: 4,
  gateway: 5,
  metric: 6,
  source: 7,
  table: 15,
} as const;

/** RTN_UNICAST: other types are local and broadcast addresses, and routes that reject traffic. */
const UNICAST = 1;
/** RTNH_F_ONLINK */
const ON_LINK = 4;
/** The metric of a route without one: 0, and IP6_RT_PRIO_USER for IPv6 (include/uapi/linux/ipv6_route.h). */
const DEFAULT_METRIC = { 4: 0, 6: 1024 } as const;

/** Who set the route; cheaper than reading the whole message. @throws Error if the bytes are not such a message */
export function protocolOfRoute(data: Buffer): number {
  checkHeader(data, HEADER_BYTES);
  return data.readUInt8(PROTOCOL_AT);
}

/**
 * Undefined unless it is an IP route through one device.
 * @throws Error if the bytes are not such a message
 */
export function readRoute(data: Buffer): HostRoute | undefined {
  checkHeader(data, HEADER_BYTES);
  const family = familyOfNumber(data.readUInt8(0));
  if (family === undefined || data.readUInt8(TYPE_AT) !== UNICAST) return undefined;
  const attributes = readAttributes(data.subarray(HEADER_BYTES));
  const linkIndex = numberOf(attributes, Attribute.device);
  if (linkIndex === undefined) return undefined;
  const bytes = attributes.get(Attribute.destination);
  const gateway = attributes.get(Attribute.gateway);
  const source = attributes.get(Attribute.source);
  const metric = numberOf(attributes, Attribute.metric) ?? 0;
  return {
    linkIndex,
    family,
    table: numberOf(attributes, Attribute.table) ?? data.readUInt8(4),
    destination: bytes ? prefixText({ bytes, length: data.readUInt8(1) }) : 'default',
    protocol: protocolOfRoute(data),
    scope: scopeOf(data.readUInt8(6)),
    ...(gateway ? { gateway: addressText(gateway) } : {}),
    ...(source ? { source: addressText(source) } : {}),
    ...(metric === DEFAULT_METRIC[family] ? {} : { metric }),
    ...((readU32(data.subarray(FLAGS_AT, HEADER_BYTES)) & ON_LINK) === 0 ? {} : { onLink: true }),
  };
}

/** Body of a request for all routes. */
export function routeQuery(): Uint8Array[] {
  return [Buffer.alloc(HEADER_BYTES)];
}

/** @throws NotAnAddressError, RangeError */
export function newRoute(route: HostRoute): Uint8Array[] {
  return routeMessage(route, {
    scope: scopeNumber(route.scope),
    flags: route.onLink ? ON_LINK : 0,
  });
}

/** @throws NotAnAddressError, RangeError */
export function routeSelector(route: HostRoute): Uint8Array[] {
  return routeMessage(route, { scope: RouteScope.nowhere, flags: 0 });
}

function routeMessage(
  route: HostRoute,
  { scope, flags }: { scope: number; flags: number },
): Uint8Array[] {
  const { family, destination, gateway, source, metric, linkIndex, table, protocol } = route;
  const prefix = destination === 'default' ? undefined : parsePrefix(destination, family);
  const header = Buffer.alloc(HEADER_BYTES);
  header.set([familyNumber(family), prefix?.length ?? 0, 0, 0, 0, protocol, scope, UNICAST]);
  header.writeUInt32LE(flags, FLAGS_AT);
  return [
    header,
    ...(prefix ? attribute(Attribute.destination, prefix.bytes) : []),
    ...attribute(Attribute.device, u32(linkIndex)),
    ...attribute(Attribute.table, u32(table)),
    ...(gateway ? attribute(Attribute.gateway, addressBytes(gateway, family)) : []),
    ...(source ? attribute(Attribute.source, addressBytes(source, family)) : []),
    ...attribute(Attribute.metric, u32(metric ?? DEFAULT_METRIC[family])),
  ];
}
