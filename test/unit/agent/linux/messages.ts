import type { NetlinkMessage } from '../../../../src/agent/linux/messages/netlink-codec.js';
/** A message as the kernel would send it. */
export function aMessage(
  type: number,
  data: Uint8Array[] | Buffer,
  { seq = 0, flags = 0 }: { seq?: number; flags?: number } = {},
): NetlinkMessage {
  return { type, flags, seq, port: 0, data: Buffer.isBuffer(data) ? data : Buffer.concat(data) };
}

/** The number as the kernel has it in an answer. */
export function errnoBytes(errno: number): Buffer {
  const bytes = Buffer.alloc(20);
  bytes.writeInt32LE(-errno);
  return bytes;
}
