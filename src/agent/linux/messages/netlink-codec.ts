/**
 * The layout of rtnetlink's messages and attributes (include/uapi/linux/netlink.h). The kernel's numbers are in
 * the host's byte order: little-endian on amd64 and arm64, which are the architectures of the image.
 */

/** A message without its length: struct nlmsghdr has length u32, type u16, flags u16, sequence u32, port u32. */
export interface NetlinkMessage {
  type: number;
  flags: number;
  /** Ties the kernel's responses to a request. */
  seq: number;
  /** The socket that a response is for; 0 in requests and events. */
  port: number;
  data: Buffer;
}

/** Attributes of a message by type; of a repeated one, the last. */
export type Attributes = ReadonlyMap<number, Buffer>;

const HEADER_BYTES = 16;
/** struct nlattr: length u16, with the header itself; type u16, with two flags. */
const ATTRIBUTE_HEADER_BYTES = 4;
const MAX_ATTRIBUTE_BYTES = 0xffff;
/** NLA_F_NESTED */
const NESTED = 0x8000;
/** NLA_TYPE_MASK */
const TYPE_MASK = 0x3fff;

/** The parts of a request, to be sent one after the other. */
export function formatMessage(
  message: Omit<NetlinkMessage, 'data'> & { data: Uint8Array[] },
): Uint8Array[] {
  const { type, flags, seq, port, data } = message;
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(HEADER_BYTES + bytesOf(data), 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(flags, 6);
  header.writeUInt32LE(seq, 8);
  header.writeUInt32LE(port, 12);
  return [header, ...data];
}

/** The messages of a datagram. @throws Error if the bytes are not a sequence of whole messages */
export function parseMessages(datagram: Buffer): NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  let rest = datagram;
  while (rest.length > 0) {
    checkHeader(rest, HEADER_BYTES);
    const length = checkLength(rest, rest.readUInt32LE(0), HEADER_BYTES);
    messages.push({
      type: rest.readUInt16LE(4),
      flags: rest.readUInt16LE(6),
      seq: rest.readUInt32LE(8),
      port: rest.readUInt32LE(12),
      data: rest.subarray(HEADER_BYTES, length),
    });
    rest = rest.subarray(aligned(length));
  }
  return messages;
}

/**
 * The result in the data of an NLMSG_ERROR: 0 for success, else negative.
 * @throws Error if the header of the request does not follow it
 */
export function parseErrno(data: Buffer): number {
  if (data.length < 4 + HEADER_BYTES) throw new Error(`Invalid error of ${data.length} bytes`);
  return data.readInt32LE(0);
}

/** An attribute, padded so that another may follow it. @throws Error if the data is longer than 65,531 bytes */
export function attribute(type: number, data: Uint8Array): Uint8Array[] {
  return formatAttribute(type & TYPE_MASK, [data]);
}

/** An attribute that holds others, padded likewise. @throws Error if these are longer than 65,531 bytes */
export function nested(type: number, ...children: Uint8Array[][]): Uint8Array[] {
  return formatAttribute((type & TYPE_MASK) | NESTED, children.flat());
}

/** @throws Error if the bytes are not a sequence of whole attributes */
export function readAttributes(data: Buffer): Attributes {
  const attributes = new Map<number, Buffer>();
  forEachAttribute(data, (type, value) => attributes.set(type, value));
  return attributes;
}

/** A number of 32 bits, if the attribute is there. @throws Error if it has another length */
export function numberOf(attributes: Attributes, type: number): number | undefined {
  const bytes = attributes.get(type);
  return bytes && readU32(bytes);
}

/** The values of all attributes of one type, as text. @throws Error if the bytes are not a sequence of attributes */
export function readStrings(data: Buffer, type: number): string[] {
  const texts: string[] = [];
  forEachAttribute(data, (found, value) => {
    if (found === type) texts.push(readString(value));
  });
  return texts;
}

/** @throws Error unless there are exactly 4 bytes */
export function readU32(bytes: Buffer): number {
  if (bytes.length !== 4) throw new Error(`Expected 4 bytes, got ${bytes.length}`);
  return bytes.readUInt32LE(0);
}

/** @throws Error if the text does not end with a null byte */
export function readString(bytes: Buffer): string {
  if (bytes.at(-1) !== 0) throw new Error('Text without a null byte at its end');
  return bytes.toString('utf8', 0, bytes.length - 1);
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function s32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

/** Text with a null byte at its end. */
export function nullTerminated(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}

function formatAttribute(type: number, data: Uint8Array[]): Uint8Array[] {
  const length = ATTRIBUTE_HEADER_BYTES + bytesOf(data);
  if (length > MAX_ATTRIBUTE_BYTES) throw new Error(`Attribute of ${length} bytes is too long`);
  const header = Buffer.alloc(ATTRIBUTE_HEADER_BYTES);
  header.writeUInt16LE(length, 0);
  header.writeUInt16LE(type, 2);
  const padding = aligned(length) - length;
  return [header, ...data, ...(padding > 0 ? [Buffer.alloc(padding)] : [])];
}

function forEachAttribute(data: Buffer, visit: (type: number, value: Buffer) => void): void {
  let rest = data;
  while (rest.length > 0) {
    checkHeader(rest, ATTRIBUTE_HEADER_BYTES);
    const length = checkLength(rest, rest.readUInt16LE(0), ATTRIBUTE_HEADER_BYTES);
    visit(rest.readUInt16LE(2) & TYPE_MASK, rest.subarray(ATTRIBUTE_HEADER_BYTES, length));
    rest = rest.subarray(aligned(length));
  }
}

/** @throws Error if the bytes are fewer than the header that a message of this kind starts with */
export function checkHeader(bytes: Buffer, headerBytes: number): void {
  if (bytes.length < headerBytes) throw new Error(`Only ${bytes.length} bytes of a header`);
}

/** @param length from the header; includes it */
function checkLength(bytes: Buffer, length: number, headerBytes: number): number {
  if (length >= headerBytes && length <= bytes.length) return length;
  throw new Error(`Invalid length ${length} in ${bytes.length} bytes`);
}

function bytesOf(parts: Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

/** NLMSG_ALIGN and NLA_ALIGN: the next one starts at a multiple of 4. */
function aligned(length: number): number {
  return (length + 3) & ~3;
}
