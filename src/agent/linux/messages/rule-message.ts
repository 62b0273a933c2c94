import type { HostRule } from '../../host/host-network.js';
import { familyNumber, familyOfNumber, parsePrefix, prefixText } from './ip-bytes.js';
import { attribute, checkHeader, numberOf, readAttributes, u32 } from './netlink-codec.js';

/**
 * struct fib_rule_hdr: family, destination length, source length, tos, table, two reserved, action (u8 each),
 * flags u32.
 */
const HEADER_BYTES = 12;
const ACTION_AT = 7;

/** FRA_… */
const Attribute = { destination: 1, source: 2, priority: 6, table: 15, protocol: 21 } as const;

/** FR_ACT_TO_TBL: other actions jump, reject or drop. */
const TO_TABLE = 1;

/**
 * Undefined unless it is an IP rule that looks up a table.
 * @throws Error if the bytes are not such a message
 */
export function readRule(data: Buffer): HostRule | undefined {
  checkHeader(data, HEADER_BYTES);
  const family = familyOfNumber(data.readUInt8(0));
  if (family === undefined || data.readUInt8(ACTION_AT) !== TO_TABLE) return undefined;
  const attributes = readAttributes(data.subarray(HEADER_BYTES));
  const bytes = attributes.get(Attribute.source);
  const destination = attributes.get(Attribute.destination);
  return {
    family,
    priority: numberOf(attributes, Attribute.priority) ?? 0,
    table: numberOf(attributes, Attribute.table) ?? data.readUInt8(4),
    protocol: attributes.get(Attribute.protocol)?.[0] ?? 0,
    ...(bytes ? { from: prefixText({ bytes, length: data.readUInt8(2) }) } : {}),
    ...(destination ? { to: prefixText({ bytes: destination, length: data.readUInt8(1) }) } : {}),
  };
}

/** Body of a request for all rules. */
export function ruleQuery(): Uint8Array[] {
  return [Buffer.alloc(HEADER_BYTES)];
}

/** Body to add the rule, and to remove it. @throws NotAnAddressError, RangeError */
export function ruleMessage(rule: HostRule): Uint8Array[] {
  const { family, priority, from, to, table, protocol } = rule;
  const destination = to === undefined ? undefined : parsePrefix(to, family);
  const source = from === undefined ? undefined : parsePrefix(from, family);
  const header = Buffer.alloc(HEADER_BYTES);
  const lengths = [destination?.length ?? 0, source?.length ?? 0];
  header.set([familyNumber(family), ...lengths, 0, 0, 0, 0, TO_TABLE]);
  return [
    header,
    ...(destination ? attribute(Attribute.destination, destination.bytes) : []),
    ...(source ? attribute(Attribute.source, source.bytes) : []),
    ...attribute(Attribute.priority, u32(priority)),
    ...attribute(Attribute.table, u32(table)),
    ...attribute(Attribute.protocol, Uint8Array.of(protocol)),
  ];
}
