import { expect } from 'chai';
import type { SinonFakeTimers } from 'sinon';
import { NetworkCatalog } from '../../../../src/aws/catalog/network-catalog.js';
import { RetryableError } from '../../../../src/aws/ec2-errors.js';
import type {
  SecurityGroup,
  SecurityGroupQuery,
  Subnet,
  SubnetQuery,
} from '../../../../src/aws/ec2-gateway.js';
import { systemClock } from '../../../../src/runtime/clock.js';
import { errorDetails, fakeTime } from '../fixtures.js';

describe('NetworkCatalog', () => {
  let timers: SinonFakeTimers;
  let subnets: Subnet[];
  let groups: SecurityGroup[];
  let failure: Error | undefined;
  let subnetCalls: SubnetQuery[];
  let groupCalls: SecurityGroupQuery[];
  let associated: string[];
  let associationCalls: string[];
  let catalog: NetworkCatalog;

  const subnetOf = (id: string, name: string, zone = 'us-west-2a'): Subnet => ({
    id,
    name,
    zone,
    vpcId: 'vpc-1',
    availableAddresses: 200,
  });

  beforeEach(() => {
    timers = fakeTime(0);
    subnets = [];
    groups = [];
    failure = undefined;
    subnetCalls = [];
    groupCalls = [];
    associated = [];
    associationCalls = [];
    catalog = NetworkCatalog.create({
      clock: systemClock,
      gateway: {
        describeSubnets: async (query) => {
          subnetCalls.push(query);
          if (failure) throw failure;
          return subnets.filter(({ id, name }) =>
            'ids' in query ? query.ids.includes(id) : query.names.includes(name ?? ''),
          );
        },
        describeAssociatedGroups: async (vpcId) => {
          associationCalls.push(vpcId);
          return associated;
        },
        describeSecurityGroups: async (query) => {
          groupCalls.push(query);
          return groups.filter(({ id, name, vpcId }) =>
            'ids' in query
              ? query.ids.includes(id)
              : query.names.includes(name) && (query.vpcId ?? vpcId) === vpcId,
          );
        },
      },
    });
  });
  afterEach(() => timers.restore());

  const idsOf = (found: { id: string }[]): string[] => found.map(({ id }) => id);

  it('answers in the order of the question, and leaves out what EC2 does not know', async () => {
    subnets = [subnetOf('subnet-1', 'a'), subnetOf('subnet-2', 'b')];

    const found = await catalog.subnets({ ids: ['subnet-2', 'subnet-9', 'subnet-1'] });

    expect(idsOf(found)).to.deep.equal(['subnet-2', 'subnet-1']);
  });

  it('finds every subnet of a name, in the order of the names and then of the ids', async () => {
    subnets = [
      subnetOf('subnet-3', 'a', 'us-west-2c'),
      subnetOf('subnet-2', 'b'),
      subnetOf('subnet-1', 'a', 'us-west-2b'),
    ];

    const found = await catalog.subnets({ names: ['b', 'a'] });

    expect(idsOf(found)).to.deep.equal(['subnet-2', 'subnet-1', 'subnet-3']);
  });

  it('asks once for what it found until that is a minute old', async () => {
    subnets = [subnetOf('subnet-1', 'a')];
    await catalog.subnets({ ids: ['subnet-1'] });
    await timers.tickAsync(59_999);
    await catalog.subnets({ ids: ['subnet-1'] });
    expect(subnetCalls).to.have.length(1);

    await timers.tickAsync(1);
    subnets = [];
    expect(await catalog.subnets({ ids: ['subnet-1'] })).to.deep.equal([]);
    expect(subnetCalls).to.have.length(2);
  });

  it('asks again, and only, for what it did not find', async () => {
    subnets = [subnetOf('subnet-1', 'a')];
    await catalog.subnets({ ids: ['subnet-1', 'subnet-2'] });
    subnets.push(subnetOf('subnet-2', 'b'));

    const found = await catalog.subnets({ ids: ['subnet-1', 'subnet-2'] });

    expect(idsOf(found)).to.deep.equal(['subnet-1', 'subnet-2']);
    expect(subnetCalls[1]).to.deep.equal({ ids: ['subnet-2'] });
  });

  it('asks once for what many ask at the same time', async () => {
    subnets = [subnetOf('subnet-1', 'a'), subnetOf('subnet-2', 'b')];

    const answers = await Promise.all([
      catalog.subnets({ ids: ['subnet-1'] }),
      catalog.subnets({ ids: ['subnet-1'] }),
      catalog.subnets({ ids: ['subnet-1', 'subnet-2'] }),
    ]);

    expect(answers.map(idsOf)).to.deep.equal([
      ['subnet-1'],
      ['subnet-1'],
      ['subnet-1', 'subnet-2'],
    ]);
    expect(subnetCalls).to.deep.equal([{ ids: ['subnet-1'] }, { ids: ['subnet-2'] }]);
  });

  it('fails all who asked together, and remembers no failure', async () => {
    subnets = [subnetOf('subnet-1', 'a')];
    failure = new RetryableError(errorDetails());
    const outcomes = await Promise.allSettled([
      catalog.subnets({ ids: ['subnet-1'] }),
      catalog.subnets({ ids: ['subnet-1'] }),
    ]);
    expect(outcomes.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected']);

    failure = undefined;
    expect(idsOf(await catalog.subnets({ ids: ['subnet-1'] }))).to.deep.equal(['subnet-1']);
  });

  it('distinguishes groups of one name by their VPC', async () => {
    groups = [
      { id: 'sg-1', name: 'web', vpcId: 'vpc-1' },
      { id: 'sg-2', name: 'web', vpcId: 'vpc-2' },
    ];

    catalog.prefetchSecurityGroups(['web']);
    const inFirst = await catalog.securityGroupsNamed(['web'], 'vpc-1');
    const inSecond = await catalog.securityGroupsNamed(['web'], 'vpc-2');
    const byId = await catalog.securityGroups(['sg-2']);

    expect([inFirst, inSecond, byId].map(idsOf)).to.deep.equal([['sg-1'], ['sg-2'], ['sg-2']]);
    expect(groupCalls).to.deep.equal([{ names: ['web'] }, { ids: ['sg-2'] }]);
  });

  it('sees a group that was made a moment ago, though another VPC has one of that name', async () => {
    groups = [{ id: 'sg-1', name: 'web', vpcId: 'vpc-1' }];
    expect(await catalog.securityGroupsNamed(['web'], 'vpc-2')).to.deep.equal([]);

    groups.push({ id: 'sg-2', name: 'web', vpcId: 'vpc-2' });

    expect(idsOf(await catalog.securityGroupsNamed(['web'], 'vpc-2'))).to.deep.equal(['sg-2']);
  });

  it('finds the groups that are associated with a VPC, asked for once', async () => {
    groups = [{ id: 'sg-9', name: 'web', vpcId: 'vpc-9' }];
    associated = ['sg-9'];
    expect(idsOf(await catalog.associatedGroups('vpc-1'))).to.deep.equal(['sg-9']);
    expect(idsOf(await catalog.associatedGroups('vpc-1'))).to.deep.equal(['sg-9']);
    expect(associationCalls).to.deep.equal(['vpc-1']);
  });
});
