import { expect } from 'chai';
import { desiredLink } from '../../../../src/agent/link/desired-link.js';
import type { ENIAttachmentSpec, ENIAttachmentStatus } from '../../../../src/api/eni-attachment.js';
import { anENIAttachment } from '../../../support/objects.js';

const MAC = '02:00:00:00:00:01';
const STATUS: ENIAttachmentStatus = {
  macAddress: MAC,
  privateIPAddresses: ['10.0.1.10', '10.0.1.11'],
  ipv6Addresses: ['2001:db8::10'],
};

function desired(
  spec: Partial<ENIAttachmentSpec> = {},
  status: ENIAttachmentStatus = STATUS,
  metadata: object = {},
) {
  const attachment = anENIAttachment({
    spec: { subnetCIDR: '10.0.1.0/24', ...spec },
    status,
    metadata,
  });
  return desiredLink(attachment, { tableBase: 21_000 });
}

describe('desiredLink', () => {
  it('asks for nothing but up where the attachment says nothing', () => {
    expect(desired()).to.deep.equal({
      macAddress: MAC,
      table: 21_001,
      up: true,
      mtu: undefined,
      altName: undefined,
      addresses: [],
      dhcpAddress: undefined,
      routes: [],
      rules: [],
      looseReversePath: false,
    });
  });

  it('waits while the MAC address is not known', () => {
    expect(desired({}, {})).to.equal(undefined);
  });

  it('leaves the state of an unmanaged link alone', () => {
    expect(desired({ linkState: 'unmanaged' })).to.deep.include({ up: undefined });
  });

  it('gives IPv4 addresses the prefix of the subnet, and IPv6 ones none', () => {
    expect(desired({ addressing: 'static' })).to.have.deep.property('addresses', [
      { family: 4, address: '10.0.1.10', prefixLength: 24, prefixRoute: true },
      { family: 4, address: '10.0.1.11', prefixLength: 24, prefixRoute: true },
      { family: 6, address: '2001:db8::10', prefixLength: 128, prefixRoute: false },
    ]);
  });

  it('routes what is sent from the addresses by the subnet’s router, in the slot’s own table', () => {
    const slot = { routing: 'policy', networkCardIndex: 1, deviceIndex: 3 } as const;
    const link = desired(slot);
    if (!link || !('routes' in link)) throw new Error('refused');
    const of = { table: 21_103, protocol: 78 };
    expect(link.routes).to.deep.equal([
      { ...of, family: 4, destination: '10.0.1.0/24', scope: 'link' },
      {
        ...of,
        family: 4,
        destination: 'default',
        gateway: '10.0.1.1',
        scope: 'global',
        onLink: true,
      },
      { ...of, family: 6, destination: 'default', gateway: 'fe80:ec2::1', scope: 'global' },
    ]);
    expect(link.rules).to.deep.equal([
      { ...of, family: 4, priority: 21_103, from: '10.0.1.10/32' },
      { ...of, family: 4, priority: 21_103, from: '10.0.1.11/32' },
      { ...of, family: 6, priority: 21_103, from: '2001:db8::10/128' },
    ]);
    expect(link).to.include({ looseReversePath: true });
    expect(link.addresses).to.deep.equal([]);
  });

  it('keeps the subnet out of the main table where the ENI has a table of its own', () => {
    const link = desired({ routing: 'policy', addressing: 'static' });
    if (!link || !('routes' in link)) throw new Error('refused');
    expect(link.addresses.map(({ prefixRoute }) => prefixRoute)).to.deep.equal([
      false,
      false,
      false,
    ]);
  });

  it('asks for nothing, of an attachment that is being deleted', () => {
    const spec = {
      routing: 'policy',
      addressing: 'static',
      interfaceName: 'eni-storage',
      mtu: 9001,
    } as const;
    const link = desired(spec, STATUS, { deletionTimestamp: '2026-01-01T00:00:00Z' });
    expect(link).to.deep.include({
      up: undefined,
      mtu: undefined,
      altName: undefined,
      addresses: [],
      routes: [],
      rules: [],
    });
  });

  for (const [what, spec, status] of [
    ['a MAC address that is none', {}, { macAddress: 'en0' }],
    ['a subnet that is none', { routing: 'policy', subnetCIDR: '10.0.1.0/33' }, STATUS],
    ['a missing subnet', { addressing: 'static', subnetCIDR: undefined }, STATUS],
    [
      'an address that is none',
      { addressing: 'static' },
      { ...STATUS, privateIPAddresses: ['10.0.1'] },
    ],
    [
      'an address that is no text',
      { addressing: 'static' },
      { ...STATUS, ipv6Addresses: [7 as unknown as string] },
    ],
    ['a spec that is not valid', { mtu: 1 }, STATUS],
  ] as [string, Partial<ENIAttachmentSpec>, ENIAttachmentStatus][]) {
    it(`refuses ${what}, with a remedy`, () => {
      const fault = desired(spec, status);
      expect(fault).to.include({ reason: 'InvalidAttachment' });
      expect(fault).to.have.property('message').that.includes('Fix the NodeENI');
    });
  }
});
