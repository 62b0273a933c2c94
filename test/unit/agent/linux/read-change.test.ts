import { expect } from 'chai';
import fc from 'fast-check';
import { newAddress } from '../../../../src/agent/linux/messages/address-message.js';
import { attribute, nested } from '../../../../src/agent/linux/messages/netlink-codec.js';
import { newRoute } from '../../../../src/agent/linux/messages/route-message.js';
import { MessageType } from '../../../../src/agent/linux/messages/rtnetlink.js';
import { ruleMessage } from '../../../../src/agent/linux/messages/rule-message.js';
import { readChange } from '../../../../src/agent/linux/read-change.js';
import { aMessage } from './messages.js';

const PROTOCOL = 78;

/** A header for device 6 that is up, of a family of addresses. */
function linkHeader(family = 0): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt8(family, 0);
  header.writeInt32LE(6, 4);
  header.writeUInt32LE(1, 8);
  return header;
}

/** What the kernel says of a PCI device: an ENI, with attributes that nothing reads among the others. */
const ENI = [
  linkHeader(),
  ...attribute(3, Buffer.from('ens6\0')),
  ...attribute(999, Buffer.alloc(7)),
  ...attribute(4, Buffer.of(0x29, 0x23, 0, 0)),
  ...attribute(16, Buffer.of(6)),
  ...attribute(1, Buffer.of(2, 0, 0, 0, 0, 6)),
  ...attribute(50, Buffer.of(128, 0, 0, 0)),
  ...attribute(51, Buffer.of(0, 0x24, 0, 0)),
  ...nested(52, attribute(53, Buffer.from('eni-a\0')), attribute(53, Buffer.from('eni-b\0'))),
  ...attribute(56, Buffer.from('0000:00:06.0\0')),
  ...attribute(57, Buffer.from('pci\0')),
];

const LINK = {
  index: 6,
  name: 'ens6',
  altNames: ['eni-a', 'eni-b'],
  macAddress: '02:00:00:00:00:06',
  mtu: 9001,
  minMtu: 128,
  maxMtu: 9216,
  up: true,
  operState: 'up',
  pciAddress: '0000:00:06.0',
};

describe('read-change', () => {
  const read = (type: number, data: Uint8Array[] | Buffer) =>
    readChange(aMessage(type, data), PROTOCOL);

  it('reads an ENI with its PCI address, its names and the bounds of its MTU', () => {
    expect(read(MessageType.newLink, ENI)).to.deep.equal({ type: 'link', link: LINK });
  });

  it('reads a removed device with its index and MAC address', () => {
    const { index, macAddress } = LINK;
    expect(read(MessageType.delLink, ENI)).to.deep.equal({ type: 'linkGone', index, macAddress });
  });

  it('has no PCI address for what stands on another bus', () => {
    const virtio = [
      linkHeader(),
      ...attribute(56, Buffer.from('virtio0\0')),
      ...attribute(57, Buffer.from('virtio\0')),
    ];
    expect(read(MessageType.newLink, virtio)).not.to.have.nested.property('link.pciAddress');
  });

  it('does not take a port that leaves its bridge for a device that is gone', () => {
    const AF_BRIDGE = 7;
    expect(read(MessageType.delLink, [linkHeader(AF_BRIDGE)])).to.equal(undefined);
  });

  it('does not know a state of operation that is yet to be invented', () => {
    const change = read(MessageType.newLink, [linkHeader(), ...attribute(16, Buffer.of(99))]);
    expect(change).to.have.nested.property('link.operState', 'unknown');
  });

  it('reads addresses, rules, and routes of the agent’s protocol only', () => {
    const route = {
      linkIndex: 6,
      family: 4,
      table: 21_001,
      destination: 'default',
      protocol: PROTOCOL,
      scope: 'link',
    } as const;
    const address = { linkIndex: 6, family: 4, address: '10.0.1.5', prefixLength: 24 } as const;
    const rule = { family: 6, priority: 1, table: 21_001, protocol: PROTOCOL } as const;
    expect([
      read(MessageType.delAddress, newAddress({ ...address, prefixRoute: false })),
      read(MessageType.delRule, ruleMessage(rule)),
      read(MessageType.delRoute, newRoute(route)),
      read(MessageType.delRoute, newRoute({ ...route, protocol: 3 })),
    ]).to.deep.equal([
      { type: 'address', linkIndex: 6 },
      { type: 'rule', table: 21_001 },
      { type: 'route', table: 21_001, linkIndex: 6 },
      undefined,
    ]);
  });

  it('ignores messages of other types', () => {
    expect(read(4711, Buffer.alloc(0))).to.equal(undefined);
  });

  it('reads any bytes, or refuses them with an error: it never hangs', () => {
    const types = Object.values(MessageType);
    fc.assert(
      fc.property(fc.constantFrom(...types), fc.uint8Array({ maxLength: 200 }), (type, bytes) => {
        try {
          read(type, Buffer.from(bytes));
        } catch (error) {
          expect(error).to.be.instanceOf(Error);
        }
      }),
    );
  });
});
