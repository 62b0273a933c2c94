import ipaddr from 'ipaddr.js';

/** AWS reserves the first four addresses of a subnet and its last (VPC User Guide, "Subnet sizing"). */
const RESERVED_AT_START = 4;
const RESERVED_AT_END = 1;

/** Addresses as numbers, both ends included. */
interface Range {
  first: number;
  last: number;
}

/** An IPv4 address as a number. */
export function toNumber(address: string): number {
  return ipaddr.IPv4.parse(address).octets.reduce((sum, octet) => sum * 256 + octet, 0);
}

function toAddress(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}

/** The part of a pool that an ENI in one subnet can have as its primary address. */
export class AddressPool {
  private constructor(private readonly ranges: readonly Range[]) {}

  /**
   * @param entries valid IPv4 addresses and CIDR blocks
   * @param subnetCIDR the subnet's IPv4 block
   */
  static create(entries: readonly string[], subnetCIDR: string): AddressPool {
    const subnet = rangeOf(subnetCIDR);
    const usable = {
      first: subnet.first + RESERVED_AT_START,
      last: subnet.last - RESERVED_AT_END,
    };
    const ranges: Range[] = [];
    for (const entry of entries) {
      const range = intersection(rangeOf(entry), usable);
      // Blocks that repeat an earlier one would be searched twice.
      if (range.first <= range.last && !ranges.some((earlier) => contains(earlier, range))) {
        ranges.push(range);
      }
    }
    return new AddressPool(ranges);
  }

  get isEmpty(): boolean {
    return this.ranges.length === 0;
  }

  includes(address: string): boolean {
    const number = toNumber(address);
    return this.ranges.some(({ first, last }) => first <= number && number <= last);
  }

  /** The addresses in the order of the pool, each computed when it is requested. Some can occur twice. */
  *addresses(): Generator<string> {
    for (const { first, last } of this.ranges) {
      for (let number = first; number <= last; number++) {
        yield toAddress(number);
      }
    }
  }
}

function rangeOf(entry: string): Range {
  const [address = '', length = '32'] = entry.split('/');
  const first = toNumber(ipaddr.IPv4.networkAddressFromCIDR(`${address}/${length}`).toString());
  return { first, last: first + 2 ** (32 - Number(length)) - 1 };
}

function intersection(a: Range, b: Range): Range {
  return { first: Math.max(a.first, b.first), last: Math.min(a.last, b.last) };
}

function contains(outer: Range, inner: Range): boolean {
  return outer.first <= inner.first && inner.last <= outer.last;
}
