import {
  DescribeAvailabilityZonesCommand,
  DescribeInstancesCommand,
  DescribeInstanceTypesCommand,
  DescribeNetworkInterfacesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeVpcsCommand,
  type Filter,
  paginateDescribeNetworkInterfaces,
} from '@aws-sdk/client-ec2';
import { expect } from 'chai';
import { DEFAULT_IDS } from '../../../tools/ec2-simulator/index.js';
import { failureOf, Harness, present } from './harness.js';

const { subnets, groups } = DEFAULT_IDS;
const UNKNOWN = `0${'f'.repeat(16)}`;

describe('DescribeNetworkInterfaces', () => {
  let harness: Harness;
  let ids: string[];
  let instanceId: string;

  before(async () => {
    harness = await Harness.start({ throttling: false });
    const { simulator } = harness;
    instanceId = simulator.addInstance({ zone: 'us-west-2b' }).id;
    ids = Array.from(
      { length: 12 },
      (_, i) =>
        simulator.addInterface({
          subnetId: i % 2 === 0 ? subnets.net1A : subnets.net2B,
          description: `number ${i}`,
          tags: { index: String(i), owner: i < 6 ? 'team (a)' : 'team b' },
          ...(i === 11 ? { attachment: { instanceId, deviceIndex: 3 } } : {}),
        }).id,
    );
  });
  after(() => harness.stop());

  async function find(...filters: Filter[]): Promise<string[]> {
    const { NetworkInterfaces } = await harness.ec2.send(
      new DescribeNetworkInterfacesCommand({ Filters: filters, MaxResults: 1_000 }),
    );
    return present(NetworkInterfaces).map((eni) => present(eni.NetworkInterfaceId));
  }

  const filter = (Name: string, ...Values: string[]): Filter => ({ Name, Values });

  it('pages through all of them, each once, in the order of creation', async () => {
    const seen: (string | undefined)[] = [];
    const sizes: number[] = [];
    const pages = paginateDescribeNetworkInterfaces({ client: harness.ec2, pageSize: 5 }, {});
    for await (const { NetworkInterfaces = [] } of pages) {
      sizes.push(NetworkInterfaces.length);
      seen.push(...NetworkInterfaces.map((eni) => eni.NetworkInterfaceId));
    }
    expect(sizes).to.deep.equal([5, 5, 3]);
    expect(seen.slice(1)).to.deep.equal(ids);
  });

  it('loses no ENI of a later page when one of an earlier page is deleted', async () => {
    const lagging = await Harness.start();
    const enis = Array.from({ length: 7 }, () => lagging.simulator.addInterface().id);
    const first = await lagging.ec2.send(new DescribeNetworkInterfacesCommand({ MaxResults: 5 }));
    lagging.simulator.removeInterface(present(enis[0]));
    const second = await lagging.ec2.send(
      new DescribeNetworkInterfacesCommand({ MaxResults: 5, NextToken: first.NextToken }),
    );
    expect(second.NetworkInterfaces?.map((eni) => eni.NetworkInterfaceId)).to.deep.equal(
      enis.slice(5),
    );
    await lagging.stop();
  });

  it('finds by ids', async () => {
    const asked = [present(ids[4]), present(ids[2])];
    const { NetworkInterfaces } = await harness.ec2.send(
      new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: asked }),
    );
    expect(NetworkInterfaces?.map((eni) => eni.NetworkInterfaceId)).to.deep.equal(asked);
  });

  it('fails for unknown ids, and finds nothing for unknown values of a filter', async () => {
    const unknown = [`eni-${UNKNOWN}`, `eni-1${'f'.repeat(16)}`];
    const byId = harness.ec2.send(
      new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: [present(ids[0]), ...unknown] }),
    );
    expect(await failureOf(byId)).to.deep.include({
      code: 'InvalidNetworkInterfaceID.NotFound',
      message: `The networkInterface IDs '${unknown.join(', ')}' do not exist`,
    });
    expect(await find(filter('network-interface-id', ...unknown))).to.deep.equal([]);
  });

  it('filters by many ids in the order of creation', async () => {
    const some = [present(ids[5]), present(ids[1]), `eni-${UNKNOWN}`];
    expect(await find(filter('network-interface-id', ...some))).to.deep.equal([ids[1], ids[5]]);
    const withTag = [filter('network-interface-id', ...some), filter('tag:index', '5')];
    expect(await find(...withTag)).to.deep.equal([ids[5]]);
  });

  const filters: [
    title: string,
    filters: () => Filter[],
    expected: () => (string | undefined)[],
  ][] = [
    ['a tag', () => [filter('tag:index', '3')], () => [ids[3]]],
    ['any of several values', () => [filter('tag:index', '3', '1')], () => [ids[1], ids[3]]],
    [
      'all of several filters',
      () => [filter('subnet-id', subnets.net1A), filter('tag:owner', 'team b')],
      () => [ids[6], ids[8], ids[10]],
    ],
    ['`*` in a value', () => [filter('tag:index', '1*')], () => [ids[1], ids[10], ids[11]]],
    ['`?` in a value', () => [filter('tag:index', '1?')], () => [ids[10], ids[11]]],
    ['plain brackets in a value', () => [filter('tag:owner', 'team (a*')], () => ids.slice(0, 6)],
    ['an escaped wildcard', () => [filter('tag:index', '1\\*')], () => []],
    ['a wildcard in an id', () => [filter('network-interface-id', '*')], () => ids],
    ['a tag key', () => [filter('tag-key', 'index')], () => ids],
    ['a description', () => [filter('description', 'number 7')], () => [ids[7]]],
    [
      'the instance and device index',
      () => [
        filter('attachment.instance-id', instanceId),
        filter('attachment.device-index', '3'),
        filter('attachment.status', 'attached'),
      ],
      () => [ids[11]],
    ],
    [
      'status and zone',
      () => [filter('status', 'available'), filter('availability-zone', 'us-west-2b')],
      () => [ids[1], ids[3], ids[5], ids[7], ids[9]],
    ],
    ['requester-managed', () => [filter('requester-managed', 'true')], () => []],
    [
      'group and VPC',
      () => [
        filter('group-id', groups.default),
        filter('group-name', 'default'),
        filter('vpc-id', DEFAULT_IDS.vpc),
        filter('tag:index', '0'),
      ],
      () => [ids[0]],
    ],
  ];
  for (const [title, asked, expected] of filters) {
    it(`filters by ${title}`, async () => {
      const found = await find(...asked());
      expect(found.filter((id) => ids.includes(id))).to.deep.equal(expected());
    });
  }

  it('takes 200 values of a filter and refuses 201', async () => {
    const values = Array.from({ length: 200 }, (_, i) => String(i));
    expect(await find(filter('tag:index', ...values))).to.have.length(12);
    const failure = await failureOf(find(filter('tag:index', ...values, 'one more')));
    expect(failure.code).to.equal('FilterLimitExceeded');
  });

  const refusals: [title: string, input: object, code: string][] = [
    ['1,001 a page', { MaxResults: 1_001 }, 'InvalidParameterValue'],
    ['4 a page', { MaxResults: 4 }, 'InvalidParameterValue'],
    [
      'ids with a page size',
      { MaxResults: 5, NetworkInterfaceIds: [`eni-${UNKNOWN}`] },
      'InvalidParameterCombination',
    ],
    ['a token of its own making', { MaxResults: 5, NextToken: 'x' }, 'InvalidParameterValue'],
    ['a malformed id', { NetworkInterfaceIds: ['eni-1'] }, 'InvalidNetworkInterfaceId.Malformed'],
    ['an unknown filter', { Filters: [filter('colour', 'red')] }, 'InvalidParameterValue'],
    [
      'a filter named like an object',
      { Filters: [filter('toString', 'x')] },
      'InvalidParameterValue',
    ],
  ];
  for (const [title, input, code] of refusals) {
    it(`refuses ${title}: ${code}`, async () => {
      const call = harness.ec2.send(new DescribeNetworkInterfacesCommand(input));
      expect((await failureOf(call)).code).to.equal(code);
    });
  }
});

describe('The other Describe actions', () => {
  let harness: Harness;

  before(async () => {
    harness = await Harness.start();
  });
  after(() => harness.stop());

  it('finds the subnets that share a name, and counts their free addresses', async () => {
    harness.simulator.addInterface({ subnetId: subnets.net1A });
    const { Subnets } = await harness.ec2.send(
      new DescribeSubnetsCommand({ Filters: [{ Name: 'tag:Name', Values: ['net1'] }] }),
    );
    expect(
      Subnets?.map((item) => [item.SubnetId, item.AvailabilityZone, item.AvailableIpAddressCount]),
    ).to.deep.equal([
      [subnets.net1A, 'us-west-2a', 8_186],
      [subnets.net1B, 'us-west-2b', 8_187],
    ]);
    const unknown = new DescribeSubnetsCommand({ SubnetIds: [`subnet-${UNKNOWN}`] });
    expect((await failureOf(harness.ec2.send(unknown))).code).to.equal('InvalidSubnetID.NotFound');
  });

  it('finds groups by name within a VPC, and by id', async () => {
    const { SecurityGroups } = await harness.ec2.send(
      new DescribeSecurityGroupsCommand({
        Filters: [
          { Name: 'group-name', Values: ['default'] },
          { Name: 'vpc-id', Values: [DEFAULT_IDS.otherVpc] },
        ],
      }),
    );
    expect(SecurityGroups?.map((group) => group.GroupId)).to.deep.equal([groups.otherDefault]);
    const unknown = new DescribeSecurityGroupsCommand({ GroupIds: [`sg-${UNKNOWN}`] });
    expect((await failureOf(harness.ec2.send(unknown))).code).to.equal('InvalidGroup.NotFound');
  });

  it('finds instances by state, with their interfaces', async () => {
    const instance = harness.simulator.addInstance({
      name: 'node-1',
      extraInterfaces: [{ deviceIndex: 1, secondaryAddresses: 2 }],
    });
    harness.simulator.addInstance({ state: 'stopped' });
    const { Reservations } = await harness.ec2.send(
      new DescribeInstancesCommand({
        Filters: [{ Name: 'instance-state-name', Values: ['running'] }],
      }),
    );
    const found = Reservations?.flatMap((reservation) => reservation.Instances ?? []) ?? [];
    expect(found.map((item) => item.InstanceId)).to.deep.equal([instance.id]);
    expect(found[0]).to.deep.include({
      InstanceType: 'm5.large',
      PrivateDnsName: 'ip-10-0-0-4.us-west-2.compute.internal',
      SubnetId: subnets.nodesA,
      Tags: [{ Key: 'Name', Value: 'node-1' }],
    });
    expect(found[0]?.Placement?.AvailabilityZone).to.equal('us-west-2a');
    expect(found[0]?.NetworkInterfaces?.map((eni) => eni.PrivateIpAddresses?.length)).to.deep.equal(
      [1, 3],
    );
  });

  it('reports what an instance type can carry, card by card', async () => {
    const { InstanceTypes } = await harness.ec2.send(
      new DescribeInstanceTypesCommand({ InstanceTypes: ['c6in.32xlarge'] }),
    );
    expect(InstanceTypes?.[0]?.NetworkInfo).to.deep.include({
      MaximumNetworkInterfaces: 16,
      Ipv4AddressesPerInterface: 50,
      NetworkCards: [
        { NetworkCardIndex: 0, MaximumNetworkInterfaces: 8 },
        { NetworkCardIndex: 1, MaximumNetworkInterfaces: 8 },
      ],
    });
    const unknown = new DescribeInstanceTypesCommand({ InstanceTypes: ['x9.huge' as 't3.micro'] });
    expect((await failureOf(harness.ec2.send(unknown))).code).to.equal('InvalidInstanceType');
  });

  it('lists VPCs and zones', async () => {
    const { Vpcs } = await harness.ec2.send(new DescribeVpcsCommand({}));
    const { AvailabilityZones } = await harness.ec2.send(new DescribeAvailabilityZonesCommand({}));
    expect(Vpcs?.map((vpc) => vpc.VpcId)).to.deep.equal([DEFAULT_IDS.vpc, DEFAULT_IDS.otherVpc]);
    expect(AvailabilityZones?.map((zone) => [zone.ZoneName, zone.ZoneId])).to.deep.equal([
      ['us-west-2a', 'usw2-az1'],
      ['us-west-2b', 'usw2-az2'],
    ]);
  });
});
