import { expect } from 'chai';
import type { ENIAttachmentStatus } from '../../../../src/api/eni-attachment.js';
import type { Eni } from '../../../../src/aws/ec2-gateway.js';
import { attachmentStatus } from '../../../../src/reconcilers/eni-attachment/attachment-status.js';
import { anENIAttachment, anEni, NOW } from '../../../support/objects.js';

/** Those of the status after EC2 has listed these. */
function addressesAfter(earlier: ENIAttachmentStatus, listed: Partial<Eni>) {
  const { privateIPAddresses, ipv6Addresses, ipv4Prefixes, ipv6Prefixes } = attachmentStatus({
    attachment: anENIAttachment({ status: earlier }),
    phase: 'Ready',
    eni: anEni(listed),
    now: NOW,
  });
  return { privateIPAddresses, ipv6Addresses, ipv4Prefixes, ipv6Prefixes };
}

describe('the status of an ENIAttachment', () => {
  it('has addresses and prefixes in the order in which they came, whatever EC2’s order is', () => {
    const earlier = {
      privateIPAddresses: ['10.0.1.10', '10.0.1.30', '10.0.1.20'],
      ipv6Addresses: ['2600:1f14::2', '2600:1f14::1'],
      ipv4Prefixes: ['10.0.1.48/28', '10.0.1.32/28', '10.0.1.64/28'],
      ipv6Prefixes: ['2600:1f14:0:2::/80', '2600:1f14:0:1::/80'],
    };
    const listed = {
      privateIpAddresses: ['10.0.1.10', '10.0.1.11', '10.0.1.20', '10.0.1.30', '10.0.1.40'],
      ipv6Addresses: ['2600:1f14::1', '2600:1f14::2', '2600:1f14::3'],
      ipv4Prefixes: ['10.0.1.32/28', '10.0.1.48/28'],
      ipv6Prefixes: ['2600:1f14:0:1::/80', '2600:1f14:0:2::/80'],
    };
    expect(addressesAfter(earlier, listed)).to.deep.equal({
      privateIPAddresses: ['10.0.1.10', '10.0.1.30', '10.0.1.20', '10.0.1.11', '10.0.1.40'],
      ipv6Addresses: ['2600:1f14::2', '2600:1f14::1', '2600:1f14::3'],
      ipv4Prefixes: ['10.0.1.48/28', '10.0.1.32/28'],
      ipv6Prefixes: earlier.ipv6Prefixes,
    });
  });

  it('has the primary addresses first', () => {
    const earlier = {
      privateIPAddresses: ['10.0.1.20', '10.0.1.10'],
      ipv6Addresses: ['2600:1f14::1', '2600:1f14::2'],
    };
    const listed = {
      privateIpAddresses: ['10.0.1.10', '10.0.1.20'],
      ipv6Addresses: ['2600:1f14::2', '2600:1f14::1'],
      hasPrimaryIpv6: true,
    };
    expect(addressesAfter(earlier, listed)).to.deep.include({
      privateIPAddresses: ['10.0.1.10', '10.0.1.20'],
      ipv6Addresses: ['2600:1f14::2', '2600:1f14::1'],
    });
  });
});
