const PAD = 0;
const END = 255;

/** The options of a message: code, length, value (RFC 2132, section 2). */
class DhcpOptions {
  constructor(private readonly values: ReadonlyMap<number, Buffer>) {}

  /** @returns undefined if it is absent or has another length */
  number(code: number, bytes: 1 | 2 | 4): number | undefined {
    const value = this.values.get(code);
    return value?.length === bytes ? value.readUIntBE(0, bytes) : undefined;
  }

  address(code: number): string | undefined {
    const value = this.values.get(code);
    return value?.length === 4 ? value.join('.') : undefined;
  }

  /** Only printable ASCII, because logs and `kubectl` show it. */
  text(code: number): string | undefined {
    return this.values
      .get(code)
      ?.toString('latin1')
      .replace(/[^\x20-\x7e]/g, '');
  }
}

/** Keeps the first of repeated options, and drops truncated ones. */
function parseOptions(bytes: Buffer): DhcpOptions {
  const values = new Map<number, Buffer>();
  let at = 0;
  while (at < bytes.length) {
    const code = bytes[at++];
    if (code === PAD) continue;
    const length = bytes[at++];
    if (code === undefined || code === END || length === undefined) break;
    const value = bytes.subarray(at, at + length);
    if (value.length < length) break;
    if (!values.has(code)) values.set(code, value);
    at += length;
  }
  return new DhcpOptions(values);
}

/** Requests confirmation of an address that is already in use: RENEWING and REBINDING (RFC 2131, 4.3.2). */
export interface DhcpRequest {
  /** 32 bits; the response repeats it. */
  transactionId: number;
  /** Lower case, with colons. */
  macAddress: string;
  /** IPv4, set on the interface. */
  address: string;
}

export interface DhcpAck {
  type: 'ack';
  transactionId: number;
  macAddress: string;
  address: string;
  /** Its identifier, an IPv4 address. */
  server: string;
  leaseSeconds: number;
  /** Seconds after which to renew (T1) and to ask any server (T2); absent if the server leaves them out. */
  renewSeconds?: number;
  rebindSeconds?: number;
  /** Bytes. */
  mtu?: number;
}

interface DhcpNak {
  type: 'nak';
  transactionId: number;
  macAddress: string;
  server: string;
  /** The explanation of the server. */
  message?: string;
}

export type DhcpReply = DhcpAck | DhcpNak;

/** Offsets of the fixed part, in bytes (RFC 2131, figure 1). */
const AT = { op: 0, hardware: 1, transactionId: 4, ciaddr: 12, yiaddr: 16, chaddr: 28, magic: 236 };
const OPTIONS_AT = 240;
/** The cookie before the options (RFC 2131, section 3). */
const MAGIC = 0x63825363;
/** Minimum size of a BOOTP message: relays may drop shorter ones (RFC 1542, 2.1). */
const MIN_BYTES = 300;
const OP = { request: 1, reply: 2 };
const ETHERNET = 1;
const MAC_BYTES = 6;

/** RFC 2132. */
const OPTION = {
  mtu: 26,
  leaseSeconds: 51,
  messageType: 53,
  server: 54,
  wanted: 55,
  message: 56,
  renewSeconds: 58,
  rebindSeconds: 59,
  end: 255,
};
const MESSAGE_TYPE = { request: 3, ack: 5, nak: 6 };

/** DHCPREQUEST without server identifier or requested address, which these states forbid (RFC 2131, table 4). */
export function encodeRequest({ transactionId, macAddress, address }: DhcpRequest): Buffer {
  const wanted = [OPTION.mtu, OPTION.leaseSeconds, OPTION.renewSeconds, OPTION.rebindSeconds];
  const options = [
    ...[OPTION.messageType, 1, MESSAGE_TYPE.request],
    ...[OPTION.wanted, wanted.length, ...wanted],
    OPTION.end,
  ];
  const message = Buffer.alloc(MIN_BYTES);
  message.set([OP.request, ETHERNET, MAC_BYTES], AT.op);
  message.writeUInt32BE(transactionId, AT.transactionId);
  message.set(address.split('.').map(Number), AT.ciaddr);
  message.set(Buffer.from(macAddress.replaceAll(':', ''), 'hex'), AT.chaddr);
  message.writeUInt32BE(MAGIC, AT.magic);
  message.set(options, OPTIONS_AT);
  return message;
}

/**
 * Ignores options in the fields `sname` and `file`.
 * @returns undefined unless it is a DHCPACK or DHCPNAK with the required options (RFC 2131, table 3).
 */
export function parseReply(bytes: Uint8Array): DhcpReply | undefined {
  const message = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (message.length < OPTIONS_AT || message.readUInt32BE(AT.magic) !== MAGIC) return undefined;
  const [op, hardware, macBytes] = message;
  if (op !== OP.reply || hardware !== ETHERNET || macBytes !== MAC_BYTES) return undefined;
  const options = parseOptions(message.subarray(OPTIONS_AT));
  const server = options.address(OPTION.server);
  if (server === undefined) return undefined;
  const common = {
    transactionId: message.readUInt32BE(AT.transactionId),
    macAddress: [...message.subarray(AT.chaddr, AT.chaddr + MAC_BYTES)]
      .map((byte) => byte.toString(16).padStart(2, '0'))
      .join(':'),
    server,
  };
  switch (options.number(OPTION.messageType, 1)) {
    case MESSAGE_TYPE.ack: {
      const leaseSeconds = options.number(OPTION.leaseSeconds, 4);
      if (leaseSeconds === undefined) return undefined;
      const renewSeconds = options.number(OPTION.renewSeconds, 4);
      const rebindSeconds = options.number(OPTION.rebindSeconds, 4);
      const mtu = options.number(OPTION.mtu, 2);
      return {
        type: 'ack',
        ...common,
        address: message.subarray(AT.yiaddr, AT.yiaddr + 4).join('.'),
        leaseSeconds,
        ...(renewSeconds === undefined ? {} : { renewSeconds }),
        ...(rebindSeconds === undefined ? {} : { rebindSeconds }),
        ...(mtu === undefined ? {} : { mtu }),
      };
    }
    case MESSAGE_TYPE.nak: {
      const text = options.text(OPTION.message);
      return { type: 'nak', ...common, ...(text === undefined ? {} : { message: text }) };
    }
    default:
      return undefined;
  }
}
