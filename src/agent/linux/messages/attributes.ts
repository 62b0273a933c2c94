import { formatAttribute, getString, getU32, pad, parseAttributes } from 'netlink/dist/structs.js';

/** Attributes of a message by type; of a repeated one, the last. */
export type Attributes = ReadonlyMap<number, Buffer>;

/** @throws Error where the bytes are no row of attributes */
export function readAttributes(data: Buffer): Attributes {
  const attributes = new Map<number, Buffer>();
  parseAttributes(data, (attribute) => attributes.set(attribute.type, attribute.data));
  return attributes;
}

/** A number of 32 bits, where the attribute is there. @throws Error where it has another length */
export function numberOf(attributes: Attributes, type: number): number | undefined {
  const bytes = attributes.get(type);
  return bytes && getU32(bytes);
}

/** The values of all attributes of one type, as text. @throws Error where the bytes are no row of attributes */
export function readStrings(data: Buffer, type: number): string[] {
  const texts: string[] = [];
  parseAttributes(data, (attribute) => {
    if (attribute.type === type) texts.push(getString(attribute.data));
  });
  return texts;
}

/** An attribute, padded so that another may follow it. */
export function attribute(type: number, data: Uint8Array): Uint8Array[] {
  return pad(formatAttribute({ type, data }));
}

export function nested(type: number, ...children: Uint8Array[][]): Uint8Array[] {
  return pad(formatAttribute({ type, nested: true, data: children.flat() }));
}
