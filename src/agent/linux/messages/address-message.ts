import type { HostAddress, HostNetwork, NewHostAddress, Scope } from '../../host/host-network.js';
import { addressBytes, addressText, familyNumber, familyOfNumber } from './ip-bytes.js';
import { attribute, checkHeader, readAttributes, readU32, u32 } from './netlink-codec.js';
import { scopeNumber, scopeOf } from './rtnetlink.js';

/** struct ifaddrmsg: family u8, prefix length u8, flags u8, scope u8, index u32. */
const HEADER_BYTES = 8;

/** IFA_… */
const Attribute = { address: 1, local: 2, flags: 8, protocol: 11 } as const;

/** IFA_F_… */
const NO_DUPLICATE_DETECTION = 0x02;
const PERMANENT = 0x80;
const NO_PREFIX_ROUTE = 0x200;

/** Undefined if the address is not IP. @throws Error if the bytes are not such a message */
export function readAddress(data: Buffer): HostAddress | undefined {
  checkHeader(data, HEADER_BYTES);
  const family = familyOfNumber(data.readUInt8(0));
  if (family === undefined) return undefined;
  const attributes = readAttributes(data.subarray(HEADER_BYTES));
  // On a point-to-point device, IFA_ADDRESS is the address of the peer.
  const bytes = attributes.get(Attribute.local) ?? attributes.get(Attribute.address);
  if (!bytes) return undefined;
  const allFlags = attributes.get(Attribute.flags);
  // Kernels before 3.14 send only the eight flags of the header.
  const flags = allFlags ? readU32(allFlags) : data.readUInt8(2);
  const protocol = attributes.get(Attribute.protocol)?.[0];
  return {
    linkIndex: linkIndexOfAddress(data),
    family,
    address: addressText(bytes),
    prefixLength: data.readUInt8(1),
    scope: scopeOf(data.readUInt8(3)),
    dynamic: (flags & PERMANENT) === 0,
    prefixRoute: (flags & NO_PREFIX_ROUTE) === 0,
    ...(protocol ? { protocol } : {}),
  };
}

export function linkIndexOfAddress(data: Buffer): number {
  return readU32(data.subarray(4, 8));
}

/** Body of a request for all addresses. */
export function addressQuery(): Uint8Array[] {
  return [Buffer.alloc(HEADER_BYTES)];
}

/** @throws NotAnAddressError */
export function newAddress(address: NewHostAddress): Uint8Array[] {
  const flags =
    (address.prefixRoute ? 0 : NO_PREFIX_ROUTE) |
    (address.family === 6 ? NO_DUPLICATE_DETECTION : 0);
  return [
    ...addressSelector(address, address.scope),
    ...attribute(Attribute.flags, u32(flags)),
    ...(address.protocol === undefined
      ? []
      : attribute(Attribute.protocol, Uint8Array.of(address.protocol))),
  ];
}

/** @throws NotAnAddressError */
export function addressSelector(
  { family, address, prefixLength, linkIndex }: Parameters<HostNetwork['removeAddress']>[0],
  scope: Scope = 'global',
): Uint8Array[] {
  const bytes = addressBytes(address, family);
  const header = Buffer.of(familyNumber(family), prefixLength, 0, scopeNumber(scope), 0, 0, 0, 0);
  header.writeUInt32LE(linkIndex, 4);
  return [header, ...attribute(Attribute.local, bytes), ...attribute(Attribute.address, bytes)];
}
