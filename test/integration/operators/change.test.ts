import { ModifyNetworkInterfaceAttributeCommand } from '@aws-sdk/client-ec2';
import { expect } from 'chai';
import { TAGS } from '../../../src/api/names.js';
import { createEc2Client } from '../../../src/aws/sdk/sdk-client.js';
import { DEFAULT_IDS } from '../../../tools/ec2-simulator/index.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { eventually } from '../../support/eventually.js';
import { Stage, ZONE_A, ZONE_B } from '../../support/stage.js';

describe('changes', () => {
  let stage: Stage;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    stage = await Stage.open();
    stage.start({ RESYNC_PERIOD: '1s' });
  });

  afterEach(() => stage.clear());
  after(() => stage.close());

  const labels = { change: 'true' };
  const theEni = () => {
    const [eni, ...others] = stage.managedEnis();
    expect(others).to.deep.equal([]);
    if (!eni) {
      throw new Error('there is no ENI');
    }
    return eni;
  };
  const writes = () =>
    stage.ec2
      .recentCalls()
      .map(({ action }) => action)
      .filter((action) => !action.startsWith('Describe'));

  it('of groups, description, tags and deleteOnTermination are made in place', async () => {
    await stage.addNode('change-a', { labels });
    await stage.createNodeENI('change', { tags: { team: 'storage', cost: '1' } });
    await stage.ready('change', 1);
    const before = theEni();
    expect(before.tags).to.include({ team: 'storage', cost: '1' });

    stage.ec2.resetCounts();
    await stage.patchNodeENI('change', {
      securityGroupIDs: [DEFAULT_IDS.groups.nodes, DEFAULT_IDS.groups.default],
      description: 'another',
      deleteOnTermination: false,
      tags: { team: 'network', cost: null },
    });
    await eventually(() => {
      const after = theEni();
      expect(after.id).to.equal(before.id);
      expect(after.description).to.equal('another');
      expect(after.attachment?.deleteOnTermination).to.equal(false);
      expect(after.groupIds).to.have.members([
        DEFAULT_IDS.groups.nodes,
        DEFAULT_IDS.groups.default,
      ]);
      expect(after.tags).to.include({ team: 'network', [TAGS.nodeENI]: 'change' });
      expect(after.tags).not.to.have.property('cost');
    });
    await stage.ready('change', 1);
    expect(writes()).not.to.include('DetachNetworkInterface');
  });

  it('of the device index replace ENIs, one node at a time', async () => {
    for (const name of ['change-a', 'change-b', 'change-c']) {
      await stage.addNode(name, { labels, type: 'm5.xlarge' });
    }
    await stage.createNodeENI('change');
    await stage.ready('change', 3);
    stage.ec2.resetCounts();
    await stage.patchNodeENI('change', { deviceIndex: 3 });
    await eventually(() => {
      const indexes = stage.managedEnis().map(({ attachment }) => attachment?.deviceIndex);
      expect(indexes).to.deep.equal([3, 3, 3]);
    });
    await stage.ready('change', 3);
    const turns = writes().filter((action) => /^(Detach|Attach)/.test(action));
    const oneTurn = ['DetachNetworkInterface', 'AttachNetworkInterface'];
    expect(turns).to.deep.equal([...oneTurn, ...oneTurn, ...oneTurn]);
  });

  it('of the device index replace as many at a time as are allowed', async () => {
    for (const name of ['change-a', 'change-b']) {
      await stage.addNode(name, { labels });
    }
    await stage.createNodeENI('change', { updatePolicy: { maxUnavailable: '100%' } });
    await stage.ready('change', 2);
    stage.ec2.setLatency({ DetachNetworkInterface: 300 });
    stage.ec2.resetCounts();
    await stage.patchNodeENI('change', { deviceIndex: 2 });
    await stage.ready('change', 2);
    await eventually(() => {
      const turns = writes().filter((action) => /^(Detach|Attach)/.test(action));
      expect(turns.slice(0, 2)).to.deep.equal(['DetachNetworkInterface', 'DetachNetworkInterface']);
    });
    stage.ec2.setLatency({ DetachNetworkInterface: 0 });
    await stage.ready('change', 2);
  });

  it('of the subnet replace ENIs, at the same device index', async () => {
    await stage.addNode('change-a', { labels });
    await stage.createNodeENI('change');
    await stage.ready('change', 1);
    const before = theEni();
    await stage.patchNodeENI('change', { subnetID: DEFAULT_IDS.subnets.net2A });
    await eventually(() => {
      const after = theEni();
      expect(after.id).not.to.equal(before.id);
      expect(after.subnetId).to.equal(DEFAULT_IDS.subnets.net2A);
      expect(after.attachment?.deviceIndex).to.equal(1);
    });
    await stage.ready('change', 1);
  });

  for (const [title, spec, reason] of [
    ['to a subnet of another zone', { subnetID: DEFAULT_IDS.subnets.net1B }, 'NoSubnetInZone'],
    ['to a subnet that does not exist', { subnetID: 'subnet-0dead000000000001' }, 'SubnetNotFound'],
    ['to a slot that is taken', { deviceIndex: 2 }, 'SlotTaken'],
  ] as const) {
    it(`${title} cost no ENI, and are made once they can be`, async () => {
      const { id } = stage.ec2.addInstance({ zone: ZONE_A, extraInterfaces: [{ deviceIndex: 2 }] });
      await stage.registerNode({ name: 'change-a', instanceID: id, zone: ZONE_A, labels });
      await stage.createNodeENI('change');
      await stage.ready('change', 1);
      const before = theEni();
      await stage.patchNodeENI('change', spec);
      await stage.degraded('change', reason);
      expect(theEni().id).to.equal(before.id);
      expect(theEni().attachment?.status).to.equal('attached');
      await stage.patchNodeENI('change', { subnetID: DEFAULT_IDS.subnets.net1A, deviceIndex: 1 });
      await stage.ready('change', 1);
      expect(theEni().id).to.equal(before.id);
    });
  }

  describe('made by another program in EC2', () => {
    const toldOnce = (reason: string) =>
      eventually(async () => {
        const events = (await stage.events('change-')).filter((event) => event.reason === reason);
        expect(events.map(({ note }) => note)).to.have.length.at.least(1);
      });

    beforeEach(async () => {
      await stage.addNode('change-a', { labels });
      await stage.createNodeENI('change');
      await stage.ready('change', 1);
    });

    it('to its groups are undone at the resync, with an Event', async () => {
      const client = createEc2Client({
        region: 'us-west-2',
        endpoint: stage.ec2.url,
        credentials: { accessKeyId: 'somebody', secretAccessKey: 'else' },
      });
      const { id } = theEni();
      const Groups = [DEFAULT_IDS.groups.default];
      await client.send(
        new ModifyNetworkInterfaceAttributeCommand({ NetworkInterfaceId: id, Groups }),
      );
      await eventually(() => {
        expect(theEni().groupIds).to.deep.equal([DEFAULT_IDS.groups.net1]);
      });
      await toldOnce('DriftRepaired');
    });

    it('to its attachment are undone at the resync, with an Event', async () => {
      const { id, attachment } = theEni();
      stage.ec2.detachInterface(id);
      await eventually(() => {
        expect(theEni().attachment?.status).to.equal('attached');
        expect(theEni().attachment?.id).not.to.equal(attachment?.id);
      });
      expect(theEni().id).to.equal(id);
      await toldOnce('DriftRepaired');
      await stage.ready('change', 1);
    });

    it('to its existence are made up for by another ENI, with an Event', async () => {
      const { id } = theEni();
      stage.ec2.removeInterface(id);
      await eventually(() => {
        expect(theEni().id).not.to.equal(id);
        expect(theEni().attachment?.status).to.equal('attached');
      });
      await toldOnce('InterfaceLost');
      await stage.ready('change', 1);
      const [attachment] = await stage.listAttachments('change');
      expect(attachment?.status).to.include({ eniID: theEni().id, replacements: 1 });
    });
  });

  it('of mind: a retained ENI outlives its NodeENI, and is taken up again', async () => {
    await stage.addNode('change-a', { labels });
    await stage.createNodeENI('change', { reclaimPolicy: 'Retain' });
    await stage.ready('change', 1);
    const { id } = theEni();
    await stage.deleteNodeENI('change');
    await stage.gone('change');
    expect(theEni().id).to.equal(id);
    expect(theEni().tags).to.include({ [TAGS.retained]: 'change' });
    expect(theEni().attachment).to.equal(undefined);

    await stage.createNodeENI('change', { reclaimPolicy: 'Retain' });
    await stage.ready('change', 1);
    expect(theEni().id).to.equal(id);
    expect(theEni().tags).not.to.have.property(TAGS.retained);
    await stage.patchNodeENI('change', { reclaimPolicy: 'Delete' });
    await stage.deleteNodeENI('change');
    await eventually(() => expect(stage.managedEnis()).to.deep.equal([]));
  });

  it(`of a node’s zone label to ${ZONE_B} by mistake cost no ENI`, async () => {
    await stage.addNode('change-a', { labels });
    await stage.createNodeENI('change');
    await stage.ready('change', 1);
    const { id } = theEni();
    await stage.label('change-a', { 'topology.kubernetes.io/zone': ZONE_B });
    await stage.degraded('change', 'NoSubnetInZone');
    expect(theEni().id).to.equal(id);
  });
});
