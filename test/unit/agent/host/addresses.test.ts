import { expect } from 'chai';
import fc from 'fast-check';
import {
  cidrOf,
  parseSubnet,
  routerOf,
  sameAddress,
} from '../../../../src/agent/host/addresses.js';

describe('addresses', () => {
  for (const [cidr, router, network] of [
    ['10.0.1.0/24', '10.0.1.1', '10.0.1.0/24'],
    ['10.0.1.77/28', '10.0.1.65', '10.0.1.64/28'],
    ['192.168.255.0/16', '192.168.0.1', '192.168.0.0/16'],
  ] as const) {
    it(`finds ${router} to be the router of ${cidr}`, () => {
      const subnet = parseSubnet(cidr);
      expect(subnet && routerOf(subnet)).to.equal(router);
      expect(subnet && cidrOf(subnet)).to.equal(network);
    });
  }

  for (const text of [
    undefined,
    '',
    '10.0.1.0',
    '10.0.1/24',
    '10.0.1.0/',
    '10.0.1.0/33',
    '10.0.1.0/31',
    '0x0a.0.1.0/24',
    '10.0.1.0/24/1',
    '2001:db8::/64',
    '10.0.1.0/-1',
  ]) {
    it(`takes ${text === undefined ? 'nothing' : `"${text}"`} for no network`, () => {
      expect(parseSubnet(text)).to.equal(undefined);
    });
  }

  it('finds every router one above its network', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 8, max: 30 }), (address, length) => {
        const subnet = parseSubnet(`${address}/${length}`);
        expect(subnet).to.include({ prefixLength: length });
        const again = subnet && parseSubnet(cidrOf(subnet));
        expect(again).to.deep.equal(subnet);
      }),
    );
  });

  it('knows an IPv6 address in each of its forms', () => {
    expect(sameAddress('2001:db8::10', '2001:0db8:0:0::0010')).to.equal(true);
    expect(sameAddress('2001:db8::10', '2001:db8::11')).to.equal(false);
    expect(sameAddress('10.0.0.1', '10.0.0.1')).to.equal(true);
    expect(sameAddress('10.0.0.1', '::ffff:10.0.0.1')).to.equal(false);
  });

  it('knows an address that has a zone in that zone only', () => {
    expect(sameAddress('fe80::1%eth0', 'fe80:0::1%eth0')).to.equal(true);
    expect(sameAddress('fe80::1%eth0.100', 'fe80:0::1%eth0.100')).to.equal(true);
    expect(sameAddress('fe80::1%eth0', 'fe80::1%eth1')).to.equal(false);
    expect(sameAddress('fe80::1%eth0', 'fe80::1')).to.equal(false);
  });
});
