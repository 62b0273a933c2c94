const PAD = 0;
const END = 255;

/** The options of a message: code, length, value (RFC 2132, section 2). */
export class DhcpOptions {
  constructor(private readonly values: ReadonlyMap<number, Buffer>) {}

  /** @returns undefined where it is absent or not of that many bytes */
  number(code: number, bytes: 1 | 2 | 4): number | undefined {
    const value = this.values.get(code);
    return value?.length === bytes ? value.readUIntBE(0, bytes) : undefined;
  }

  address(code: number): string | undefined {
    const value = this.values.get(code);
    return value?.length === 4 ? value.join('.') : undefined;
  }

  /** Printable ASCII alone: it goes to logs and to `kubectl`. */
  text(code: number): string | undefined {
    return this.values
      .get(code)
      ?.toString('latin1')
      .replace(/[^\x20-\x7e]/g, '');
  }
}

/** The first of an option counts; what is cut short is left out. */
export function parseOptions(bytes: Buffer): DhcpOptions {
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
