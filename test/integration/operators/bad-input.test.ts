import { expect } from 'chai';
import { Node } from '../../../src/api/node.js';
import type { NodeENISpec } from '../../../src/api/node-eni.js';
import type { BlockedReason } from '../../../src/api/reasons.js';
import { DEFAULT_IDS } from '../../../tools/ec2-simulator/index.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { eventually } from '../../support/eventually.js';
import { Stage, ZONE_A, ZONE_B } from '../../support/stage.js';

/** One way to go wrong. */
interface Case {
  title: string;
  reason: BlockedReason;
  spec?: Partial<NodeENISpec>;
  /** Makes the node `sick`, and whatever else it takes. */
  arrange: (stage: Stage) => Promise<void>;
  /** Whether the node `well` has its ENI meanwhile. */
  servesOthers: boolean;
  /** Whether an ENIAttachment of the sick node exists, and says so too. */
  atAttachment: boolean;
  /** Takes the cause away; the rest is the controller's. */
  cure: (stage: Stage) => Promise<void>;
  /** Something that the condition's message must name. */
  names: RegExp;
}

const labels = { bad: 'true' };
const sickNode = async (stage: Stage): Promise<void> => {
  await stage.addNode('sick', { labels });
};

const cases: Case[] = [
  {
    title: 'an unknown subnet',
    reason: 'SubnetNotFound',
    spec: { subnetIDs: ['subnet-0aa00000000000c01'] },
    arrange: sickNode,
    servesOthers: false,
    atAttachment: false,
    async cure(stage) {
      stage.ec2.addSubnet({
        id: 'subnet-0aa00000000000c01',
        vpcId: DEFAULT_IDS.vpc,
        zone: ZONE_A,
        cidr: '10.0.200.0/24',
      });
    },
    names: /"subnet-0aa00000000000c01".*describe-subnets/,
  },
  {
    title: 'an unknown security group',
    reason: 'SecurityGroupNotFound',
    spec: { securityGroupNames: ['nowhere'] },
    arrange: sickNode,
    servesOthers: false,
    atAttachment: false,
    cure: (stage) => stage.patchNodeENI('bad', { securityGroupNames: ['net1'] }),
    names: /"nowhere".*Name a security group/,
  },
  {
    title: 'a name that two subnets of the zone share',
    reason: 'SubnetNameAmbiguous',
    spec: { subnetName: 'twin' },
    async arrange(stage) {
      await sickNode(stage);
      for (const digit of [1, 2]) {
        stage.ec2.addSubnet({
          id: `subnet-0aa00000000000d0${digit}`,
          vpcId: DEFAULT_IDS.vpc,
          zone: ZONE_A,
          cidr: `10.0.${210 + digit}.0/24`,
          name: 'twin',
        });
      }
    },
    servesOthers: false,
    atAttachment: false,
    async cure(stage) {
      stage.ec2.setTags({
        resourceIds: ['subnet-0aa00000000000d02'],
        tags: { Name: 'other-twin' },
      });
    },
    names: /subnet-0aa00000000000d01 and subnet-0aa00000000000d02/,
  },
  {
    title: 'a security group of another VPC',
    reason: 'SecurityGroupVpcMismatch',
    spec: { securityGroupIDs: [DEFAULT_IDS.groups.other] },
    arrange: sickNode,
    servesOthers: false,
    atAttachment: true,
    cure: (stage) => stage.patchNodeENI('bad', { securityGroupIDs: [DEFAULT_IDS.groups.net1] }),
    names:
      /CreateNetworkInterface.*belong to different networks\. Use security groups that belong to/,
  },
  {
    title: 'no subnet in the node’s zone',
    reason: 'NoSubnetInZone',
    spec: { subnetName: 'solo' },
    async arrange(stage) {
      await stage.addNode('sick', { zone: ZONE_B, labels });
      stage.ec2.addSubnet({
        id: 'subnet-0aa00000000000e01',
        vpcId: DEFAULT_IDS.vpc,
        zone: ZONE_A,
        cidr: '10.0.220.0/24',
        name: 'solo',
      });
    },
    servesOthers: true,
    atAttachment: false,
    async cure(stage) {
      stage.ec2.addSubnet({
        id: 'subnet-0aa00000000000e02',
        vpcId: DEFAULT_IDS.vpc,
        zone: ZONE_B,
        cidr: '10.0.221.0/24',
        name: 'solo',
      });
    },
    names: /sick.*us-west-2b; they are in us-west-2a/,
  },
  {
    title: 'a slot that another interface holds',
    reason: 'SlotTaken',
    async arrange(stage) {
      const { id } = stage.ec2.addInstance({ zone: ZONE_A, extraInterfaces: [{ deviceIndex: 1 }] });
      await stage.registerNode({ name: 'sick', instanceID: id, zone: ZONE_A, labels });
    },
    servesOthers: true,
    atAttachment: true,
    cure: detachForeign,
    names: /Device index 1 of i-\w+ \(node sick\) is in use by eni-/,
  },
  {
    title: 'an instance that is full',
    reason: 'InstanceFull',
    async arrange(stage) {
      const { id } = stage.ec2.addInstance({
        zone: ZONE_A,
        type: 't3.medium',
        extraInterfaces: [{ deviceIndex: 2 }, { deviceIndex: 3 }],
      });
      await stage.registerNode({ name: 'sick', instanceID: id, zone: ZONE_A, labels });
    },
    servesOthers: true,
    atAttachment: true,
    cure: detachForeign,
    names: /t3\.medium i-\w+ of node sick supports 3 interfaces and has 3/,
  },
  {
    title: 'a subnet without a free address',
    reason: 'SubnetFull',
    spec: { subnetIDs: [DEFAULT_IDS.subnets.tinyA] },
    async arrange(stage) {
      await sickNode(stage);
      // 11 addresses; the healthy node takes one.
      for (let taken = 0; taken < 11; taken++) {
        stage.ec2.addInterface({ subnetId: DEFAULT_IDS.subnets.tinyA });
      }
    },
    servesOthers: false,
    atAttachment: true,
    async cure(stage) {
      const foreign = stage.ec2.state.enis.filter(
        ({ subnetId, tags }) =>
          subnetId === DEFAULT_IDS.subnets.tinyA && !('networking.k8s.aws/node' in tags),
      );
      for (const { id } of foreign.slice(0, 2)) {
        stage.ec2.removeInterface(id);
      }
    },
    names: /does not have enough free addresses.*use another subnet/,
  },
  {
    title: 'a call that IAM denies',
    reason: 'AccessDenied',
    async arrange(stage) {
      await sickNode(stage);
      stage.ec2.failNext({
        action: 'CreateNetworkInterface',
        code: 'UnauthorizedOperation',
        message: 'You are not authorized to perform this operation.',
        httpStatus: 403,
        times: 1_000,
      });
    },
    servesOthers: false,
    atAttachment: true,
    async cure(stage) {
      stage.ec2.clearFaults();
    },
    names: /CreateNetworkInterface.*not authorized.*IAM policy/,
  },
  {
    title: 'a node without a providerID',
    reason: 'ProviderIDMissing',
    async arrange(stage) {
      await stage.kube.create(Node.resource, { metadata: { name: 'sick', labels } });
    },
    servesOthers: true,
    atAttachment: false,
    async cure(stage) {
      const { id } = stage.ec2.addInstance({ zone: ZONE_A });
      const body = { spec: { providerID: `aws:///${ZONE_A}/${id}` } };
      await stage.kube.patch(Node.resource, { name: 'sick' }, { type: 'merge', body });
    },
    names: /Node sick has no spec\.providerID/,
  },
  {
    title: 'a node that claims the instance of another',
    reason: 'ProviderIDAmbiguous',
    spec: {},
    async arrange(stage) {
      const { id } = stage.ec2.addInstance({ zone: ZONE_A, type: 'm5.large', name: 'sick' });
      for (const name of ['sick', 'intruder']) {
        await stage.registerNode({
          name,
          instanceID: id,
          zone: ZONE_A,
          labels: name === 'sick' ? labels : {},
        });
      }
    },
    servesOthers: true,
    atAttachment: false,
    cure: (stage) => stage.deleteNode('intruder'),
    names: /intruder, sick have the spec.providerID of the same instance/,
  },
  {
    title: 'an instance that EC2 does not know',
    reason: 'InstanceNotFound',
    async arrange(stage) {
      await stage.registerNode({
        name: 'sick',
        instanceID: 'i-0dead00000000beef',
        zone: ZONE_A,
        labels,
      });
    },
    servesOthers: true,
    atAttachment: true,
    async cure(stage) {
      stage.ec2.addInstance({ id: 'i-0dead00000000beef', zone: ZONE_A });
    },
    names: /EC2 does not know i-0dead00000000beef/,
  },
];

async function detachForeign(stage: Stage): Promise<void> {
  const sick = stage.ec2.state.instances.find(({ type }) => type === 't3.medium');
  for (const { id, attachment, tags } of stage.ec2.state.enis) {
    const isForeign =
      attachment && attachment.deviceIndex > 0 && !('networking.k8s.aws/node' in tags);
    if (isForeign && (!sick || attachment.instanceId === sick.id)) {
      stage.ec2.detachInterface(id);
      return;
    }
  }
  throw new Error('no foreign interface found');
}

describe('bad input', () => {
  for (const { title, reason, spec, arrange, servesOthers, atAttachment, cure, names } of cases) {
    describe(title, () => {
      let stage: Stage;

      before(async function () {
        this.timeout(CONTROL_PLANE_TIMEOUT_MS);
        stage = await Stage.open();
        stage.start();
      });

      after(async () => {
        await stage.close();
        expect(stage.managedEnis(), 'ENIs left behind').to.deep.equal([]);
      });

      it(`is reported as ${reason}, once, costs no other node its ENI, and is gone when cured`, async () => {
        await arrange(stage);
        await stage.addNode('well', { labels });
        const { metadata } = await stage.createNodeENI('bad', spec);

        const nodeENI = await stage.degraded('bad', reason);
        const degraded = nodeENI.status?.conditions?.find(({ type }) => type === 'Degraded');
        expect(degraded?.message).to.match(names);
        expect(nodeENI.status).to.include({ desired: 2 });

        if (servesOthers) {
          await eventually(async () => {
            expect((await stage.nodeENI('bad')).status?.ready).to.equal(1);
          });
        }
        const attachments = await stage.listAttachments('bad');
        const sick = attachments.find((attachment) => attachment.spec.nodeName === 'sick');
        expect(sick !== undefined).to.equal(atAttachment);
        if (sick) {
          await eventually(async () => {
            const now = (await stage.listAttachments('bad')).find(
              ({ spec: { nodeName } }) => nodeName === 'sick',
            );
            const condition = now?.status?.conditions?.find(({ type }) => type === 'Ready');
            expect(condition).to.include({ status: 'False', reason });
            expect(condition?.message).to.be.a('string').and.have.length.above(40);
          });
        }

        // It is retried often, but reported once.
        await eventually(() => {
          const tries = stage.log.log.filter(
            ({ msg, ...fields }) => /blocked/.test(msg) && fields.reason === reason,
          );
          expect(tries.length).to.be.at.least(4);
        });
        await eventually(async () => {
          const events = await stage.events('bad');
          const ofNodeENI = events.filter(
            ({ regarding, reason: given }) => regarding.uid === metadata.uid && given === reason,
          );
          expect(ofNodeENI.length, JSON.stringify(events.map(({ note }) => note))).to.equal(1);
          if (sick) {
            const ofAttachment = events.filter(
              ({ regarding }) => regarding.uid === sick.metadata.uid,
            );
            expect(ofAttachment.filter(({ reason: given }) => given === reason)).to.have.length(1);
          }
        });

        await cure(stage);
        await stage.ready('bad', 2);
      });
    });
  }
});
