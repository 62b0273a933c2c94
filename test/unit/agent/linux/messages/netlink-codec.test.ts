import { expect } from 'chai';
import fc from 'fast-check';
import type { HostRoute } from '../../../../../src/agent/host/host-network.js';
import { newAddress } from '../../../../../src/agent/linux/messages/address-message.js';
import {
  altNameChange,
  linkQuery,
  mtuChange,
  promoteSecondaries,
  reversePathFilterChange,
  upChange,
} from '../../../../../src/agent/linux/messages/link-message.js';
import {
  ALL_DEVICES,
  netconfQuery,
} from '../../../../../src/agent/linux/messages/netconf-message.js';
import {
  attribute,
  formatMessage,
  nested,
  parseErrno,
  parseMessages,
  readAttributes,
  readString,
  readStrings,
  readU32,
} from '../../../../../src/agent/linux/messages/netlink-codec.js';
import { newRoute } from '../../../../../src/agent/linux/messages/route-message.js';
import { ruleMessage } from '../../../../../src/agent/linux/messages/rule-message.js';

const INDEX = 7;
const OURS = { table: 1000, protocol: 213 };

const ROUTE: HostRoute = {
  ...OURS,
  linkIndex: INDEX,
  family: 4,
  destination: '10.0.1.0/24',
  scope: 'link',
  source: '10.0.1.5',
  metric: 5,
};

const DEFAULT_ROUTE: HostRoute = {
  ...OURS,
  linkIndex: INDEX,
  family: 6,
  destination: 'default',
  scope: 'global',
  gateway: 'fe80:ec2::1',
  onLink: true,
};

/** The bytes that the package netlink 0.3.0 lays out for the same bodies. */
const BODIES: Record<string, [body: () => Uint8Array[], hex: string]> = {
  'a query of all devices': [linkQuery, '0000000000000000000000000000000008001d0008000000'],
  'a device up': [() => upChange(INDEX), '00000000070000000100000001000000'],
  'an MTU': [() => mtuChange(INDEX, 9001), '000000000700000000000000000000000800040029230000'],
  rp_filter: [
    () => reversePathFilterChange(INDEX, 2),
    '0000000007000000000000000000000014001a80100002800c0001800800080002000000',
  ],
  promote_secondaries: [
    () => promoteSecondaries(INDEX),
    '0000000007000000000000000000000014001a80100002800c0001800800140001000000',
  ],
  'an alternative name': [
    () => altNameChange(INDEX, 'storage'),
    '00000000070000000000000000000000100034800c00350073746f7261676500',
  ],
  'a query of settings': [() => netconfQuery(ALL_DEVICES), '0200000008000100ffffffff'],
  'an IPv4 address': [
    () =>
      newAddress({
        family: 4,
        address: '10.0.1.5',
        prefixLength: 24,
        linkIndex: INDEX,
        scope: 'global',
        prefixRoute: false,
        protocol: 213,
      }),
    '0218000007000000080002000a000105080001000a000105080008000002000005000b00d5000000',
  ],
  'an IPv6 address': [
    () =>
      newAddress({
        family: 6,
        address: '2600:1f18::5',
        prefixLength: 128,
        linkIndex: INDEX,
        scope: 'link',
        prefixRoute: true,
      }),
    '0a8000fd070000001400020026001f180000000000000000000000051400010026001f18000000000000000000000005' +
      '0800080002000000',
  ],
  'a route': [
    () => newRoute(ROUTE),
    '0218000000d5fd0100000000080001000a000100080004000700000008000f00e8030000080007000a000105' +
      '0800060005000000',
  ],
  'an IPv6 default route': [
    () => newRoute(DEFAULT_ROUTE),
    '0a00000000d5000104000000080004000700000008000f00e803000014000500fe800ec2000000000000000000000001' +
      '0800060000040000',
  ],
  'a rule': [
    () => ruleMessage({ ...OURS, family: 4, priority: 1000, from: '10.0.1.5' }),
    '020020000000000100000000080002000a00010508000600e803000008000f00e803000005001500d5000000',
  ],
};

describe('netlink-codec', () => {
  for (const [name, [body, hex]] of Object.entries(BODIES)) {
    it(`lays out ${name}`, () => {
      expect(Buffer.concat(body()).toString('hex')).to.equal(hex);
    });
  }

  it('lays out a message with its length first', () => {
    const data = [Buffer.of(1, 2), Buffer.of(3)];
    const bytes = Buffer.concat(formatMessage({ type: 20, flags: 0x605, seq: 9, port: 3, data }));
    expect(bytes.toString('hex')).to.equal('13000000140005060900000003000000010203');
  });

  it('reads back messages that follow each other, whatever their lengths', () => {
    const u16 = fc.nat(0xffff);
    const number = fc.nat(0xffffffff);
    const message = fc.record({
      type: u16,
      flags: u16,
      seq: number,
      port: number,
      data: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    });
    fc.assert(
      fc.property(fc.array(message), (messages) => {
        const datagram = messages.flatMap(({ data, ...header }) => [
          ...formatMessage({ ...header, data: [data] }),
          Buffer.alloc(-data.length & 3),
        ]);
        expect(parseMessages(Buffer.concat(datagram))).to.deep.equal(messages);
      }),
    );
  });

  it('reads back attributes, of a repeated one the last', () => {
    const item = fc.tuple(fc.nat(0x3fff), fc.uint8Array({ maxLength: 40 }));
    fc.assert(
      fc.property(fc.array(item), (items) => {
        const bytes = Buffer.concat(items.flatMap(([type, data]) => attribute(type, data)));
        const expected = new Map(items.map(([type, data]) => [type, Buffer.from(data)]));
        expect(readAttributes(bytes)).to.deep.equal(expected);
      }),
    );
  });

  it('leaves the flags of an attribute out of its type', () => {
    const bytes = Buffer.concat(nested(52, attribute(53, Buffer.from('a\0'))));
    expect([...readAttributes(bytes).keys()]).to.deep.equal([52]);
  });

  for (const [what, read] of [
    ['a message with less than a header', () => parseMessages(Buffer.alloc(15))],
    ['a message that is shorter than a header', () => parseMessages(Buffer.alloc(16))],
    ['a message that is cut off', () => parseMessages(Buffer.from('11'.padEnd(32, '0'), 'hex'))],
    ['an attribute with less than a header', () => readAttributes(Buffer.of(4, 0, 1))],
    ['an attribute that is shorter than a header', () => readAttributes(Buffer.of(3, 0, 1, 0))],
    ['an attribute that is cut off', () => readAttributes(Buffer.of(5, 0, 1, 0))],
    ['an error without the request', () => parseErrno(Buffer.alloc(19))],
    ['a number of 2 bytes', () => readU32(Buffer.alloc(2))],
    ['text without its null byte', () => readString(Buffer.from('ens6'))],
    ['no text at all', () => readString(Buffer.alloc(0))],
    ['a list that is cut off', () => readStrings(Buffer.of(9, 0, 53, 0, 0), 53)],
    ['an attribute that is too long', () => attribute(1, Buffer.alloc(0xfffc))],
  ] as const) {
    it(`refuses ${what}`, () => {
      // A RangeError stands for bad input of the caller, a code for a failure of the socket.
      expect(read).to.throw(Error).that.has.property('name', 'Error');
      expect(read).to.throw(Error).that.does.not.have.property('code');
    });
  }
});
