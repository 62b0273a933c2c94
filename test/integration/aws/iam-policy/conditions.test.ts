import { AssociateAddressCommand, CreateTagsCommand, DeleteTagsCommand } from '@aws-sdk/client-ec2';
import { expect } from 'chai';
import { TAGS } from '../../../../src/api/names.js';
import { DEFAULT_IDS } from '../../../../tools/ec2-simulator/index.js';
import type { ShippedPolicy } from '../../../support/iam-policy.js';
import { ADDRESS_TAGS, isDenied, OWNER_TAGS, thePolicy, World } from './world.js';

const { subnets, groups } = DEFAULT_IDS;

/** Something that the controller's credentials must not be good for. */
interface Attempt {
  title: string;
  make(world: World): Promise<unknown>;
}

const OTHERS = {
  'of another cluster': { ...OWNER_TAGS, [TAGS.clusterID]: 'another' },
  'of another manager': { ...OWNER_TAGS, [TAGS.managedBy]: 'another' },
  'without tags': {},
};

const changes = (whose: string, tags: Record<string, string>): Attempt[] => [
  {
    title: `to attach an ENI ${whose}`,
    make: (world) =>
      world.gateway.attachEni({
        eniId: world.free(tags).id,
        instanceId: world.instanceId,
        deviceIndex: 9,
        networkCardIndex: 0,
      }),
  },
  {
    title: `to detach an ENI ${whose}`,
    make: (world) => world.gateway.detachEni(world.attached(tags).attachment?.id ?? ''),
  },
  {
    title: `to let an ENI ${whose} end with its instance`,
    make: (world) => {
      const { id, attachment } = world.attached(tags);
      return world.gateway.setDeleteOnTermination(id, attachment?.id ?? '', true);
    },
  },
  {
    title: `to set the groups of an ENI ${whose}`,
    make: (world) => world.gateway.setSecurityGroups(world.free(tags).id, [groups.net1]),
  },
  {
    title: `to set the description of an ENI ${whose}`,
    make: (world) => world.gateway.setDescription(world.free(tags).id, 'ours'),
  },
  {
    title: `to make an ENI ${whose} its own`,
    make: (world) => world.gateway.setTags(world.free(tags).id, OWNER_TAGS),
  },
  {
    title: `to tag an ENI ${whose}`,
    make: (world) => world.gateway.setTags(world.free(tags).id, { team: 'storage' }),
  },
  {
    title: `to take a tag off an ENI ${whose}`,
    make: (world) => world.gateway.removeTags(world.free({ ...tags, team: 'a' }).id, ['team']),
  },
  {
    title: `to associate its Elastic IP address with an ENI ${whose}`,
    make: (world) =>
      world.gateway.associateElasticIp(
        world.free(tags).id,
        world.ec2.addElasticIp({ tags: ADDRESS_TAGS }).id,
      ),
  },
  {
    title: `to disassociate the Elastic IP address of an ENI ${whose}`,
    make: (world) =>
      world.gateway.disassociateElasticIp(
        world.associated({ address: ADDRESS_TAGS, eni: tags }).associationId,
      ),
  },
  {
    title: `to delete an ENI ${whose}`,
    make: (world) => world.gateway.deleteEni(world.free(tags).id),
  },
];

const creation = (how: string, tags: Record<string, string>): Attempt => ({
  title: `to create an ENI ${how}`,
  make: ({ gateway }) =>
    gateway.createEni({
      clientToken: how,
      subnetId: subnets.net1A,
      securityGroupIds: [groups.net1],
      tags,
    }),
});

const ATTEMPTS: readonly Attempt[] = [
  ...Object.entries(OTHERS).flatMap(([whose, tags]) => changes(whose, tags)),
  ...Object.entries(OTHERS).map(([whose, tags]) => creation(whose, tags)),
  {
    title: 'to give an ENI of its own to another cluster',
    make: (world) =>
      world.gateway.setTags(world.free(OWNER_TAGS).id, { [TAGS.clusterID]: 'another' }),
  },
  {
    title: 'to give an ENI of its own to another cluster, by the tag in another case',
    make: (world) =>
      world.gateway.setTags(world.free(OWNER_TAGS).id, {
        [TAGS.clusterID.toUpperCase()]: 'another',
      }),
  },
  {
    title: 'to take its owner’s tag off an ENI of its own',
    make: (world) => world.gateway.removeTags(world.free(OWNER_TAGS).id, [TAGS.managedBy]),
  },
  {
    title: 'to take its cluster’s tag off an ENI of its own',
    make: (world) => world.gateway.removeTags(world.free(OWNER_TAGS).id, [TAGS.clusterID]),
  },
  {
    title: 'to take all tags off an ENI of its own',
    make: (world) =>
      world.client.send(new DeleteTagsCommand({ Resources: [world.free(OWNER_TAGS).id] })),
  },
  ...Object.entries({
    'of another cluster': { [TAGS.clusterID]: 'another' },
    'without tags': {},
  }).flatMap(([whose, address]): Attempt[] => [
    {
      title: `to associate an Elastic IP address ${whose}`,
      make: (world) =>
        world.gateway.associateElasticIp(
          world.free(OWNER_TAGS).id,
          world.ec2.addElasticIp({ tags: address }).id,
        ),
    },
    {
      title: `to take an Elastic IP address ${whose} from another ENI`,
      make: (world) =>
        world.client.send(
          new AssociateAddressCommand({
            NetworkInterfaceId: world.free(OWNER_TAGS).id,
            AllocationId: world.associated({ address, eni: {} }).addressId,
          }),
        ),
    },
    {
      title: `to disassociate an Elastic IP address ${whose} that a user gave to an ENI of its own`,
      make: (world) =>
        world.gateway.disassociateElasticIp(
          world.associated({ address, eni: OWNER_TAGS }).associationId,
        ),
    },
  ]),
  {
    title: 'to tag an instance',
    make: ({ client, instanceId }) =>
      client.send(
        new CreateTagsCommand({ Resources: [instanceId], Tags: [{ Key: 'a', Value: 'b' }] }),
      ),
  },
];

/** What is read says more than changes do: everything, but of one Region. */
const READS: readonly Attempt[] = [
  {
    title: 'to read what is in another Region',
    make: ({ gateway }) => gateway.listEnis({ tags: OWNER_TAGS }),
  },
];

/** Each condition by itself, and the policy without it. */
function weakenings(policy: ShippedPolicy): { title: string; weaker: ShippedPolicy }[] {
  return policy.Statement.flatMap((statement, index) =>
    Object.entries(statement.Condition ?? {}).flatMap(([operator, keys]) =>
      Object.keys(keys).map((key) => {
        const { [key]: _, ...others } = keys;
        const Condition = { ...statement.Condition, [operator]: others };
        const Statement = policy.Statement.with(index, { ...statement, Condition });
        return { title: `${statement.Sid}: ${operator} ${key}`, weaker: { ...policy, Statement } };
      }),
    ),
  );
}

describe('the conditions of docs/iam-policy.json', () => {
  const worlds: World[] = [];
  const open = async (...args: Parameters<typeof World.under>): Promise<World> => {
    const world = await World.under(...args);
    worlds.push(world);
    return world;
  };

  afterEach(async () => {
    await Promise.all(worlds.splice(0).map((world) => world.close()));
  });

  describe('deny the controller’s credentials', () => {
    for (const { title, make } of ATTEMPTS) {
      it(title, async () => {
        expect(await isDenied(make(await open(thePolicy())))).to.equal(true);
      });
    }
    for (const { title, make } of READS) {
      it(title, async () => {
        const elsewhere = await open(thePolicy(), { region: 'eu-west-1' });
        expect(await isDenied(make(elsewhere))).to.equal(true);
      });
    }
  });

  describe('each keep something out', () => {
    for (const { title, weaker } of weakenings(thePolicy())) {
      it(title, async () => {
        const here = await open(weaker);
        const elsewhere = await open(weaker, { region: 'eu-west-1' });
        const allowed: string[] = [];
        for (const [world, attempts] of [[here, ATTEMPTS] as const, [elsewhere, READS] as const]) {
          for (const { title: what, make } of attempts) {
            if (!(await isDenied(make(world)))) {
              allowed.push(what);
            }
          }
        }
        expect(allowed).to.not.deep.equal([]);
      });
    }
  });
});
