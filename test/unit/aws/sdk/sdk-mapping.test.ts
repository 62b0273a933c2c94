import { expect } from 'chai';
import { toEni } from '../../../../src/aws/sdk/sdk-mapping.js';

describe('an ENI as the SDK has it', () => {
  it('has its primary addresses first, wherever EC2 lists them', () => {
    const eni = toEni({
      NetworkInterfaceId: 'eni-1',
      PrivateIpAddresses: [
        { PrivateIpAddress: '10.0.64.7', Primary: false },
        { PrivateIpAddress: '10.0.64.8' },
        { PrivateIpAddress: '10.0.64.5', Primary: true },
      ],
      Ipv6Addresses: [
        { Ipv6Address: '2600:1f14::7', IsPrimaryIpv6: false },
        { Ipv6Address: '2600:1f14::8' },
        { Ipv6Address: '2600:1f14::5', IsPrimaryIpv6: true },
      ],
    });
    expect(eni.privateIpAddresses).to.deep.equal(['10.0.64.5', '10.0.64.7', '10.0.64.8']);
    expect(eni.ipv6Addresses).to.deep.equal(['2600:1f14::5', '2600:1f14::7', '2600:1f14::8']);
    expect(eni.hasPrimaryIpv6).to.equal(true);
  });
});
