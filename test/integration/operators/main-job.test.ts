import { expect } from 'chai';
import { ENIAttachment } from '../../../src/api/eni-attachment.js';
import { DEFAULT_IDS } from '../../../tools/ec2-simulator/index.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { eventually } from '../../support/eventually.js';
import { Stage, ZONE_A, ZONE_B } from '../../support/stage.js';

describe('the main job', () => {
  let stage: Stage;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    stage = await Stage.open();
    stage.start();
  });

  afterEach(async () => {
    await stage.clear();
    expect(stage.managedEnis(), 'ENIs left behind').to.deep.equal([]);
  });

  after(() => stage.close());

  it('gives a labelled node its ENI, and takes it away with the label', async () => {
    const instanceId = await stage.addNode('main-a');
    await stage.createNodeENI('storage', { mtu: 9001, description: 'for storage' });
    await stage.ready('storage', 0);
    expect(stage.managedEnis()).to.deep.equal([]);

    await stage.label('main-a', { storage: 'true' });
    const nodeENI = await stage.ready('storage', 1);

    const [eni] = stage.managedEnis();
    expect(eni).to.deep.include({
      subnetId: DEFAULT_IDS.subnets.net1A,
      description: 'for storage',
    });
    expect(eni?.attachment).to.deep.include({
      instanceId,
      deviceIndex: 1,
      networkCardIndex: 0,
      status: 'attached',
      deleteOnTermination: true,
    });
    expect(eni?.tags).to.include({
      'networking.k8s.aws/node-eni': 'storage',
      'networking.k8s.aws/node': 'main-a',
      'node.k8s.amazonaws.com/no_manage': 'true',
    });
    expect(nodeENI.status?.attachments).to.have.length(1);
    expect(nodeENI.status?.attachments?.[0]).to.deep.include({
      nodeID: 'main-a',
      instanceID: instanceId,
      eniID: eni?.id,
      attachmentID: eni?.attachment?.id,
      subnetID: DEFAULT_IDS.subnets.net1A,
      subnetCIDR: '10.0.64.0/19',
      mtu: 9001,
      deviceIndex: 1,
      status: 'attached',
    });

    await stage.label('main-a', { storage: null });
    await stage.ready('storage', 0);
    await eventually(() => expect(stage.managedEnis()).to.deep.equal([]));
  });

  it('costs EC2 three writes an ENI, and two to take it away', async () => {
    await stage.addNode('main-a', { labels: { storage: 'true' } });
    stage.ec2.resetCounts();
    await stage.createNodeENI('storage');
    await stage.ready('storage', 1);
    await stage.deleteNodeENI('storage');
    await eventually(() => expect(stage.managedEnis()).to.deep.equal([]));
    expect(stage.calls()).to.deep.include({
      CreateNetworkInterface: 1,
      AttachNetworkInterface: 1,
      ModifyNetworkInterfaceAttribute: 1,
      DetachNetworkInterface: 1,
      DeleteNetworkInterface: 1,
    });
  });

  it('gives each node the subnets of its zone, one ENI each, at rising device indexes', async () => {
    await stage.addNode('main-a', { labels: { multi: 'true' } });
    await stage.addNode('main-b', { zone: ZONE_B, labels: { multi: 'true' }, type: 'm5.xlarge' });
    await stage.createNodeENI('multi', {
      subnetNames: ['net1', 'net2'],
      securityGroupNames: ['net1'],
      deviceIndex: 1,
      deleteOnTermination: false,
    });
    await stage.ready('multi', 4);
    const placed = stage
      .managedEnis()
      .map(({ subnetId, attachment }) => [subnetId, attachment?.deviceIndex]);
    const { net1A, net1B, net2A, net2B } = DEFAULT_IDS.subnets;
    expect(placed).to.have.deep.members([
      [net1A, 1],
      [net2A, 2],
      [net1B, 1],
      [net2B, 2],
    ]);
    expect(
      stage.managedEnis().map(({ attachment }) => attachment?.deleteOnTermination),
    ).to.deep.equal([false, false, false, false]);
  });

  it('removes the ENIs of a Node object that is deleted', async () => {
    await stage.addNode('main-a', { labels: { storage: 'true' } });
    await stage.createNodeENI('storage');
    await stage.ready('storage', 1);
    await stage.deleteNode('main-a');
    await stage.ready('storage', 0);
    await eventually(() => expect(stage.managedEnis()).to.deep.equal([]));
  });

  it('moves on to the new instance when a node is replaced under its name', async () => {
    const old = await stage.addNode('main-a', { labels: { storage: 'true' } });
    await stage.createNodeENI('storage');
    await stage.ready('storage', 1);
    stage.ec2.terminateInstance(old);
    await stage.deleteNode('main-a');
    const successor = await stage.addNode('main-a', { labels: { storage: 'true' } });
    await eventually(async () => {
      const nodeENI = await stage.ready('storage', 1);
      expect(nodeENI.status?.attachments?.[0]?.instanceID).to.equal(successor);
    });
    await eventually(() => expect(stage.managedEnis()).to.have.length(1));
  });

  it('keeps a NodeENI that is deleted until EC2 says that its ENIs are gone', async () => {
    await stage.addNode('main-a', { labels: { storage: 'true' } });
    await stage.createNodeENI('storage');
    await stage.ready('storage', 1);
    stage.ec2.failNext({
      action: 'DeleteNetworkInterface',
      code: 'InternalError',
      httpStatus: 500,
      times: 3,
    });
    await stage.deleteNodeENI('storage');
    await eventually(async () => {
      expect(JSON.stringify(stage.ec2.calls())).to.include('InternalError');
    });
    expect((await stage.nodeENI('storage')).metadata.deletionTimestamp).to.be.a('string');
    await eventually(() => expect(stage.managedEnis()).to.deep.equal([]));
    await eventually(async () => expect(await stage.listAttachments('storage')).to.deep.equal([]));
  });

  it('recreates an attachment that a user deletes by hand', async () => {
    await stage.addNode('main-a', { labels: { storage: 'true' } });
    await stage.createNodeENI('storage');
    await stage.ready('storage', 1);
    const [before] = await stage.listAttachments('storage');
    await stage.kube.delete(ENIAttachment.resource, { name: before?.metadata.name ?? '' });
    await eventually(async () => {
      const [after] = await stage.listAttachments('storage');
      expect(after?.metadata.uid).to.be.a('string').and.not.equal(before?.metadata.uid);
      expect(after?.status?.phase).to.equal('Ready');
    });
    expect(stage.managedEnis()).to.have.length(1);
  });

  it('adopts after a crash the ENI that it had made before, and makes no other', async () => {
    await stage.addNode('main-a', { labels: { storage: 'true' } });
    stage.ec2.setLatency({ AttachNetworkInterface: 2_000 });
    try {
      await stage.createNodeENI('storage');
      await eventually(() => expect(stage.managedEnis()).to.have.length(1));
      await stage.log.stop('SIGKILL');
      stage.start();
      await stage.ready('storage', 1);
      expect(stage.managedEnis()).to.have.length(1);
    } finally {
      stage.ec2.setLatency({ AttachNetworkInterface: 0 });
    }
  });

  it('emits one Event for an ENI that is attached, and one for its deletion', async () => {
    await stage.addNode('main-a', { labels: { quiet: 'true' } });
    await stage.createNodeENI('quiet');
    await stage.ready('quiet', 1);
    await stage.deleteNodeENI('quiet');
    await eventually(async () => {
      const events = await stage.events('quiet-');
      expect(events.map(({ reason }) => reason)).to.have.members(['Attached', 'Deleted']);
    });
  });

  it(`serves the node in ${ZONE_A} while it says of the other that no subnet is in its zone`, async () => {
    await stage.addNode('main-a', { labels: { storage: 'true' } });
    await stage.addNode('main-b', { zone: ZONE_B, labels: { storage: 'true' } });
    await stage.createNodeENI('storage');
    const nodeENI = await stage.degraded('storage', 'NoSubnetInZone');
    expect(nodeENI.status).to.include({ desired: 2 });
    await eventually(async () =>
      expect((await stage.nodeENI('storage')).status?.ready).to.equal(1),
    );
  });
});
