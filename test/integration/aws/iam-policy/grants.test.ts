import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { TAGS } from '../../../../src/api/names.js';
import { DeniedError } from '../../../../src/aws/ec2-errors.js';
import { DEFAULT_IDS } from '../../../../tools/ec2-simulator/index.js';
import {
  actionsOf,
  type PolicyStatement,
  type ShippedPolicy,
} from '../../../support/iam-policy.js';
import { ADDRESS_TAGS, OWNER_TAGS, thePolicy, World } from './world.js';

const { subnets, groups, vpc } = DEFAULT_IDS;

/** Every call that the gateway can make, in an order in which each can succeed. */
async function wholeLife({ gateway, instanceId, ec2 }: World): Promise<void> {
  await gateway.describeSubnets({ ids: [subnets.net1A] });
  await gateway.describeSecurityGroups({ names: ['default'], vpcId: vpc });
  await gateway.describeAssociatedGroups(vpc);
  await gateway.describeInstances([instanceId]);
  await gateway.describeInstanceTypes(['m5.large']);
  await gateway.listEnis({ tags: OWNER_TAGS });
  const address = ec2.addElasticIp({ tags: ADDRESS_TAGS });
  await gateway.describeElasticIps({ tags: ADDRESS_TAGS });
  const { id } = await gateway.createEni({
    clientToken: 'a-record',
    subnetId: subnets.net1A,
    securityGroupIds: [groups.net1],
    tags: { ...OWNER_TAGS, [TAGS.attachmentUID]: 'a-record' },
  });
  await gateway.describeEnis([id]);
  const slot = { deviceIndex: 1, networkCardIndex: 0 };
  const { attachmentId } = await gateway.attachEni({ eniId: id, instanceId, ...slot });
  await gateway.setDeleteOnTermination(id, attachmentId, true);
  await gateway.setSecurityGroups(id, [groups.default]);
  await gateway.setDescription(id, 'another');
  const ipv4 = await gateway.assignIpv4(id, { addresses: 1 });
  await gateway.unassignIpv4(id, ipv4);
  const ipv6 = await gateway.assignIpv6(id, { addresses: 1 });
  await gateway.unassignIpv6(id, ipv6);
  const { associationId } = await gateway.associateElasticIp(id, address.id);
  await gateway.disassociateElasticIp(associationId);
  await gateway.setTags(id, { team: 'storage', [TAGS.retained]: 'a-node-eni' });
  await gateway.removeTags(id, [TAGS.retained]);
  await gateway.detachEni(attachmentId);
  await gateway.deleteEni(id);
}

/** The policy as statements of one action and one resource each, which allow the same. */
function grantsOf({ Statement }: ShippedPolicy): PolicyStatement[] {
  return Statement.flatMap((statement) =>
    [statement.Action]
      .flat()
      .flatMap((Action) =>
        [statement.Resource].flat().map((Resource) => ({ ...statement, Action, Resource })),
      ),
  );
}

describe('docs/iam-policy.json', () => {
  let world: World | undefined;

  afterEach(async () => {
    await world?.close();
    world = undefined;
  });

  it('allows whatever the controller ever asks of EC2, and no other action', async () => {
    world = await World.under(thePolicy());
    await wholeLife(world);
    expect(world.ec2.state.enis.filter(({ tags }) => TAGS.clusterID in tags)).to.deep.equal([]);
    expect(Object.keys(world.ec2.calls().byAction).sort()).to.deep.equal(actionsOf(thePolicy()));
  });

  describe('has nothing to spare', () => {
    const policy = thePolicy();
    const grants = grantsOf(policy);
    for (const [index, grant] of grants.entries()) {
      it(`${grant.Sid}: ${grant.Action} for ${grant.Resource}`, async () => {
        world = await World.under({ ...policy, Statement: grants.toSpliced(index, 1) });
        const failure = await wholeLife(world).then(
          () => undefined,
          (error: unknown) => error,
        );
        expect(failure).to.be.instanceOf(DeniedError);
        expect(String(failure)).to.include(`is not authorized to perform: ${grant.Action}`);
      });
    }
  });

  it('is explained statement by statement', () => {
    const explained = readFileSync('docs/iam.md', 'utf8').matchAll(/^\| `([A-Za-z]+)` /gm);
    const sids = thePolicy().Statement.map(({ Sid }) => Sid);
    expect([...explained].map(([, name]) => name)).to.deep.equal(['REGION', ...sids]);
  });

  it('fits a managed policy with the longest names that it can be filled in with', () => {
    const text = JSON.stringify(thePolicy());
    // IAM's quota counts no white space: 6,144 characters.
    expect(text.length).to.be.below(6_144 - 6 * 256);
  });
});
