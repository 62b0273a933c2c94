import {
  CreateNetworkInterfaceCommand,
  type CreateNetworkInterfaceCommandInput,
  DeleteNetworkInterfaceCommand,
  type NetworkInterface,
} from '@aws-sdk/client-ec2';
import { expect } from 'chai';
import { DEFAULT_IDS } from '../../../tools/ec2-simulator/index.js';
import { failureOf, Harness, present } from './harness.js';

const { subnets, groups } = DEFAULT_IDS;
const unknown = (prefix: string): string => `${prefix}-0${'f'.repeat(16)}`;

describe('CreateNetworkInterface', () => {
  let harness: Harness;

  beforeEach(async () => {
    harness = await Harness.start({ quota: { interfaces: 12 } });
  });
  afterEach(() => harness.stop());

  async function create(
    input: Partial<CreateNetworkInterfaceCommandInput> = {},
  ): Promise<NetworkInterface> {
    const answer = await harness.ec2.send(
      new CreateNetworkInterfaceCommand({ SubnetId: subnets.net1A, ...input }),
    );
    return present(answer.NetworkInterface);
  }

  it('answers with the whole ENI', async () => {
    const eni = await create({
      Groups: [groups.net1],
      Description: 'of <tests> &amp; "more"',
      TagSpecifications: [
        { ResourceType: 'network-interface', Tags: [{ Key: 'owner', Value: 'tests' }] },
      ],
    });

    expect(eni.NetworkInterfaceId).to.match(/^eni-[0-9a-f]{17}$/);
    expect(eni.MacAddress).to.match(/^02(:[0-9a-f]{2}){5}$/);
    expect(eni).to.deep.include({
      Status: 'available',
      SubnetId: subnets.net1A,
      VpcId: DEFAULT_IDS.vpc,
      AvailabilityZone: 'us-west-2a',
      Description: 'of <tests> &amp; "more"',
      Groups: [{ GroupId: groups.net1, GroupName: 'net1' }],
      TagSet: [{ Key: 'owner', Value: 'tests' }],
      PrivateIpAddress: '10.0.64.4',
      SourceDestCheck: true,
      RequesterManaged: false,
      Ipv6Addresses: [],
      Ipv4Prefixes: [],
    });
    expect(eni.Attachment).to.equal(undefined);
  });

  it("takes the VPC's default group where none is named", async () => {
    const eni = await create({ SubnetId: subnets.otherA });
    expect(eni.Groups).to.deep.equal([{ GroupId: groups.otherDefault, GroupName: 'default' }]);
  });

  it('gives each ENI addresses of its own', async () => {
    const enis = [await create(), await create(), await create()];
    expect(new Set(enis.map((eni) => eni.PrivateIpAddress)).size).to.equal(3);
    expect(new Set(enis.map((eni) => eni.MacAddress)).size).to.equal(3);
  });

  it('takes the addresses that are named, the primary first', async () => {
    const eni = await create({
      PrivateIpAddresses: [
        { PrivateIpAddress: '10.0.64.20' },
        { PrivateIpAddress: '10.0.64.21', Primary: true },
      ],
    });
    expect(eni.PrivateIpAddress).to.equal('10.0.64.21');
    expect(eni.PrivateIpAddresses?.map((item) => [item.PrivateIpAddress, item.Primary])).to.eql([
      ['10.0.64.21', true],
      ['10.0.64.20', false],
    ]);
  });

  it('takes secondary addresses, prefixes and IPv6 addresses by their number', async () => {
    const secondary = await create({ SecondaryPrivateIpAddressCount: 2, Ipv6AddressCount: 1 });
    const prefixed = await create({ Ipv4PrefixCount: 1 });
    expect(secondary.PrivateIpAddresses).to.have.length(3);
    expect(secondary.Ipv6Addresses?.[0]?.Ipv6Address).to.match(/^2600:1f14:abc:de01::/);
    expect(prefixed.Ipv4Prefixes?.[0]?.Ipv4Prefix).to.equal('10.0.64.16/28');
  });

  it('gives the same ENI for the same token and parameters', async () => {
    const first = await create({ ClientToken: 'token' });
    const second = await create({ ClientToken: 'token' });
    expect(second.NetworkInterfaceId).to.equal(first.NetworkInterfaceId);
    expect(harness.simulator.state.enis).to.have.length(1);
  });

  it('answers a used token with what it once made, even when that is deleted', async () => {
    const first = await create({ ClientToken: 'token' });
    await harness.ec2.send(
      new DeleteNetworkInterfaceCommand({ NetworkInterfaceId: first.NetworkInterfaceId }),
    );
    const second = await create({ ClientToken: 'token' });
    expect(second.NetworkInterfaceId).to.equal(first.NetworkInterfaceId);
    expect(harness.simulator.state.enis).to.deep.equal([]);
  });

  it('refuses a used token with other parameters', async () => {
    await create({ ClientToken: 'token' });
    const failure = await failureOf(create({ ClientToken: 'token', Description: 'other' }));
    expect(failure.code).to.equal('IdempotentParameterMismatch');
  });

  it('refuses when the subnet has no address left, and frees addresses with their ENI', async () => {
    const ids: (string | undefined)[] = [];
    for (let i = 0; i < 11; i++) {
      ids.push((await create({ SubnetId: subnets.tinyA })).NetworkInterfaceId);
    }
    expect(await failureOf(create({ SubnetId: subnets.tinyA }))).to.deep.equal({
      code: 'InsufficientFreeAddressesInSubnet',
      message: 'The specified subnet does not have enough free addresses to satisfy the request.',
      status: 400,
    });
    await harness.ec2.send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId: ids[3] }));
    expect((await create({ SubnetId: subnets.tinyA })).PrivateIpAddress).to.equal('10.0.192.7');
  });

  it('takes no address when one of several is not to be had', async () => {
    await failureOf(create({ SubnetId: subnets.tinyA, SecondaryPrivateIpAddressCount: 11 }));
    const tiny = harness.simulator.state.subnets.find(({ id }) => id === subnets.tinyA);
    expect(tiny?.availableAddresses).to.equal(11);
  });

  it("refuses beyond the Region's quota", async () => {
    for (let i = 0; i < 12; i++) {
      await create();
    }
    expect((await failureOf(create())).code).to.equal('NetworkInterfaceLimitExceeded');
  });

  const refusals: [
    title: string,
    input: Partial<CreateNetworkInterfaceCommandInput>,
    code: string,
    message?: string,
  ][] = [
    [
      'an unknown subnet',
      { SubnetId: unknown('subnet') },
      'InvalidSubnetID.NotFound',
      `The subnet ID '${unknown('subnet')}' does not exist`,
    ],
    ['a malformed subnet id', { SubnetId: 'subnet-x' }, 'InvalidSubnetID.Malformed'],
    ['no subnet', { SubnetId: undefined }, 'MissingParameter'],
    [
      'an unknown group',
      { Groups: [unknown('sg')] },
      'InvalidSecurityGroupID.NotFound',
      `The security group '${unknown('sg')}' does not exist`,
    ],
    ['a malformed group id', { Groups: ['nodes'] }, 'InvalidGroupId.Malformed'],
    ["another VPC's group", { Groups: [groups.other] }, 'InvalidParameter'],
    [
      'an address outside the subnet',
      { PrivateIpAddress: '10.0.1.9' },
      'InvalidParameterValue',
      "Address 10.0.1.9 does not fall within the subnet's address range",
    ],
    [
      'an address that AWS keeps',
      { PrivateIpAddress: '10.0.64.3' },
      'InvalidParameterValue',
      "Address 10.0.64.3 is in subnet's reserved address range",
    ],
    [
      'IPv6 in a subnet without it',
      { SubnetId: subnets.net2A, Ipv6AddressCount: 1 },
      'InvalidParameterValue',
    ],
    [
      'two of the IPv4 ways at once',
      { SecondaryPrivateIpAddressCount: 1, Ipv4PrefixCount: 1 },
      'InvalidParameterCombination',
    ],
    [
      'two of the IPv6 ways at once',
      { Ipv6AddressCount: 1, Ipv6Addresses: [{ Ipv6Address: '2600:1f14:abc:de01::9' }] },
      'InvalidParameterCombination',
    ],
    ['a token of 65 characters', { ClientToken: 'x'.repeat(65) }, 'InvalidParameterValue'],
    ['a description of 256 characters', { Description: 'x'.repeat(256) }, 'InvalidParameterValue'],
    [
      'tags for another kind of resource',
      { TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'a', Value: 'b' }] }] },
      'InvalidParameterValue',
    ],
    ['a dry run', { DryRun: true }, 'DryRunOperation'],
  ];
  for (const [title, input, code, message] of refusals) {
    it(`refuses ${title}: ${code}`, async () => {
      const failure = await failureOf(create(input));
      expect(failure.code).to.equal(code);
      expect(failure.status).to.equal(code === 'DryRunOperation' ? 412 : 400);
      if (message !== undefined) {
        expect(failure.message).to.equal(message);
      }
      expect(harness.simulator.state.enis).to.deep.equal([]);
    });
  }

  it('refuses more groups than the quota allows', async () => {
    harness.simulator.configure({ quota: { groupsPerInterface: 1 } });
    const failure = await failureOf(create({ Groups: [groups.nodes, groups.net1] }));
    expect(failure.code).to.equal('SecurityGroupsPerInterfaceLimitExceeded');
  });

  it('refuses an address that is taken', async () => {
    await create({ PrivateIpAddress: '10.0.64.9' });
    const failure = await failureOf(create({ PrivateIpAddress: '10.0.64.9' }));
    expect(failure.code).to.equal('InvalidIPAddress.InUse');
  });
});
