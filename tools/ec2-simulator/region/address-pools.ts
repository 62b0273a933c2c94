import { errors } from '../api-error.js';

/** AWS keeps the first four addresses of a subnet and its last. */
const RESERVED = 5;
const FIRST_FREE = 4;
/** Addresses of an IPv4 prefix delegation, a /28. */
const PREFIX_SIZE = 16;

function toNumber(address: string): number {
  const parts = address.split('.').map(Number);
  if (
    parts.length !== 4 ||
    parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255)
  ) {
    return Number.NaN;
  }
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

function toText(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}

/** The IPv4 addresses of one subnet. */
export class AddressPool {
  private readonly used = new Set<number>();
  private next = FIRST_FREE;

  private constructor(
    private readonly base: number,
    private readonly size: number,
  ) {}

  /** @param cidr e.g. `10.0.0.0/24`. */
  static create(cidr: string): AddressPool {
    const [address = '', length = ''] = cidr.split('/');
    const base = toNumber(address);
    const size = 2 ** (32 - Number(length));
    if (Number.isNaN(base) || !Number.isInteger(size) || base % size !== 0) {
      throw new RangeError(`not an IPv4 CIDR block: ${cidr}`);
    }
    return new AddressPool(base, size);
  }

  get available(): number {
    return Math.max(0, this.size - RESERVED - this.used.size);
  }

  /** @throws ApiError `InsufficientFreeAddressesInSubnet`. */
  take(): string {
    if (this.available === 0) {
      throw errors.noFreeAddresses();
    }
    while (this.used.has(this.base + this.next)) {
      this.advance();
    }
    const address = this.base + this.next;
    this.used.add(address);
    this.advance();
    return toText(address);
  }

  /** @throws ApiError where the address is outside the subnet, reserved or taken. */
  claim(address: string): string {
    const offset = toNumber(address) - this.base;
    if (!(offset >= 0 && offset < this.size)) {
      throw errors.addressOutside(address);
    }
    if (offset < FIRST_FREE || offset === this.size - 1) {
      throw errors.addressReserved(address);
    }
    if (this.used.has(this.base + offset)) {
      throw errors.addressInUse();
    }
    this.used.add(this.base + offset);
    return address;
  }

  /**
   * Takes a free, aligned /28.
   * @throws ApiError `InsufficientCidrBlocks`.
   */
  takePrefix(): string {
    for (let start = PREFIX_SIZE; start + PREFIX_SIZE < this.size; start += PREFIX_SIZE) {
      const block = Array.from({ length: PREFIX_SIZE }, (_, i) => this.base + start + i);
      if (block.every((address) => !this.used.has(address))) {
        for (const address of block) {
          this.used.add(address);
        }
        return `${toText(this.base + start)}/28`;
      }
    }
    throw errors.noFreeBlock();
  }

  /** Gives back an address, or a prefix. */
  release(address: string): void {
    const [first = '', length] = address.split('/');
    const start = toNumber(first);
    const count = length === undefined ? 1 : PREFIX_SIZE;
    for (let i = 0; i < count; i++) {
      this.used.delete(start + i);
    }
  }

  private advance(): void {
    this.next = this.next + 1 < this.size - 1 ? this.next + 1 : FIRST_FREE;
  }
}

/** The IPv6 addresses of one subnet, a /64. */
export class Ipv6Pool {
  private readonly used = new Set<string>();
  private next = FIRST_FREE;
  private nextPrefix = 1;

  private constructor(private readonly prefix: string) {}

  /** @param cidr e.g. `2600:1f14:abc:de00::/64`. */
  static create(cidr: string): Ipv6Pool {
    const match = /^((?:[0-9a-f]{1,4}:){3}[0-9a-f]{1,4})::\/64$/.exec(cidr);
    if (!match?.[1]) {
      throw new RangeError(`not an IPv6 /64 with four groups: ${cidr}`);
    }
    return new Ipv6Pool(match[1]);
  }

  take(): string {
    for (;;) {
      const address = `${this.prefix}::${(this.next++).toString(16)}`;
      if (!this.used.has(address)) {
        this.used.add(address);
        return address;
      }
    }
  }

  /** Takes a free /80. Single addresses come from the subnet's first one. */
  takePrefix(): string {
    for (;;) {
      const prefix = `${this.prefix}:${(this.nextPrefix++).toString(16)}::/80`;
      if (!this.used.has(prefix)) {
        this.used.add(prefix);
        return prefix;
      }
    }
  }

  /** @throws ApiError where the address is outside the subnet or taken. */
  claim(address: string): string {
    if (!address.startsWith(`${this.prefix}:`)) {
      throw errors.addressOutside(address);
    }
    if (this.used.has(address)) {
      throw errors.addressInUse();
    }
    this.used.add(address);
    return address;
  }

  release(address: string): void {
    this.used.delete(address);
  }
}
