import { expect } from 'chai';
import { DEFAULT_IDS } from '../../../tools/ec2-simulator/index.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { eventually } from '../../support/eventually.js';
import { Stage } from '../../support/stage.js';

describe('churn', () => {
  let stage: Stage;
  const labels = { churn: 'true' };

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    stage = await Stage.open({ transition: { attach: 300, detach: 300 } });
    stage.start({ RESYNC_PERIOD: '1s' });
  });

  afterEach(async () => {
    stage.ec2.setLatency({ CreateNetworkInterface: 0, AttachNetworkInterface: 0 });
    stage.ec2.clearFaults();
    await stage.clear();
    await nothingLeft();
  });
  after(() => stage.close());

  const nothingLeft = () => eventually(() => expect(stage.managedEnis()).to.deep.equal([]));
  const attached = (instanceId: string) =>
    stage
      .managedEnis()
      .filter(({ attachment }) => attachment?.instanceId === instanceId)
      .map(({ attachment }) => attachment?.status);

  it('ends the ENI of an instance that Spot takes back, Node object first or last', async () => {
    for (const deleteOnTermination of [true, false]) {
      const instance = await stage.addNode('churn-a', { labels });
      await stage.createNodeENI('churn', { deleteOnTermination });
      await stage.ready('churn', 1);
      stage.ec2.terminateInstance(instance);
      await stage.deleteNode('churn-a');
      await nothingLeft();
      await stage.ready('churn', 0);
      await stage.deleteNodeENI('churn');
      await stage.gone('churn');
    }
  });

  it('makes no ENI for a terminated instance whose Node lingers, and says so', async () => {
    const instance = await stage.addNode('churn-a', { labels });
    await stage.createNodeENI('churn');
    await stage.ready('churn', 1);
    stage.ec2.terminateInstance(instance);
    await stage.degraded('churn', 'InstanceNotAttachable');
    await nothingLeft();
    const created = stage.calls().CreateNetworkInterface;
    await eventually(() => {
      const tries = stage.log.log.filter(({ reason }) => reason === 'InstanceNotAttachable');
      expect(tries.length).to.be.at.least(3);
    });
    expect(stage.calls().CreateNetworkInterface).to.equal(created);
  });

  it('leaves nothing of a Node that is deleted while its ENI is being attached', async () => {
    const instance = await stage.addNode('churn-a', { labels });
    stage.ec2.setLatency({ AttachNetworkInterface: 500 });
    await stage.createNodeENI('churn');
    await eventually(() => expect(attached(instance)).to.deep.equal(['attaching']));
    await stage.deleteNode('churn-a');
    await nothingLeft();
    await stage.ready('churn', 0);
  });

  it('leaves nothing of a NodeENI that is deleted while its ENIs are being created', async () => {
    await stage.addNode('churn-a', { labels });
    await stage.addNode('churn-b', { labels });
    stage.ec2.setLatency({ CreateNetworkInterface: 500 });
    await stage.createNodeENI('churn');
    await eventually(() => expect(stage.managedEnis()).to.have.length(2));
    await stage.deleteNodeENI('churn');
    await stage.gone('churn');
    expect(stage.managedEnis()).to.deep.equal([]);
  });

  it('follows a label that flaps ten times a second to where it ends', async () => {
    const instance = await stage.addNode('churn-a');
    await stage.createNodeENI('churn');
    for (const last of [true, false]) {
      for (let flap = 0; flap < 15; flap++) {
        await stage.label('churn-a', { churn: flap % 2 === 0 ? 'true' : null });
        // The pace of the flapping is what is tested.
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      await stage.label('churn-a', { churn: last ? 'true' : null });
      await stage.ready('churn', last ? 1 : 0);
      await eventually(() => expect(attached(instance)).to.deep.equal(last ? ['attached'] : []));
      await eventually(() => expect(stage.managedEnis()).to.have.length(last ? 1 : 0));
    }
  }).timeout(40_000);

  it('moves the ENI to the instance that replaces another under its name, at once', async () => {
    const old = await stage.addNode('churn-a', { labels });
    await stage.createNodeENI('churn');
    await stage.ready('churn', 1);
    await stage.deleteNode('churn-a');
    const successor = await stage.addNode('churn-a', { labels });
    await eventually(() => expect(attached(successor)).to.deep.equal(['attached']));
    await eventually(() => expect(attached(old)).to.deep.equal([]));
    await stage.ready('churn', 1);
  });

  it('serves the other nodes while one zone has no room, and that one once it has', async () => {
    const { tinyA } = DEFAULT_IDS.subnets;
    for (let taken = 0; taken < 10; taken++) {
      stage.ec2.addInterface({ subnetId: tinyA });
    }
    for (const name of ['churn-a', 'churn-b', 'churn-c']) {
      await stage.addNode(name, { labels });
    }
    await stage.createNodeENI('churn', { subnetIDs: [tinyA] });
    await stage.degraded('churn', 'SubnetFull');
    await eventually(async () => expect((await stage.nodeENI('churn')).status?.ready).to.equal(1));
    const full = (await stage.nodeENI('churn')).status?.conditions?.find(
      ({ type }) => type === 'CapacityExceeded',
    );
    expect(full).to.include({ status: 'True', reason: 'SubnetFull' });
    expect(full?.message).to.match(/^2 of 3 nodes lack ENIs/);

    for (const { id, tags, subnetId } of stage.ec2.state.enis) {
      if (subnetId === tinyA && !('networking.k8s.aws/node' in tags)) {
        stage.ec2.removeInterface(id);
      }
    }
    await stage.ready('churn', 3);
  });

  it('attaches to an instance that stops and starts again', async () => {
    const instance = await stage.addNode('churn-a', { labels });
    stage.ec2.setInstanceState(instance, 'pending');
    await stage.createNodeENI('churn');
    await stage.degraded('churn', 'InstanceNotAttachable');
    expect(stage.managedEnis()).to.deep.equal([]);
    stage.ec2.startInstance(instance);
    await stage.ready('churn', 1);
    stage.ec2.stopInstance(instance);
    await stage.label('churn-a', { churn: null });
    await nothingLeft();
  });

  it('survives EC2 failing every other call, with one ENI a node in the end', async () => {
    for (const name of ['churn-a', 'churn-b', 'churn-c']) {
      await stage.addNode(name, { labels });
    }
    for (const action of [
      'CreateNetworkInterface',
      'AttachNetworkInterface',
      'ModifyNetworkInterfaceAttribute',
      'DetachNetworkInterface',
      'DeleteNetworkInterface',
    ] as const) {
      stage.ec2.failNext({ action, code: 'InternalError', httpStatus: 500, times: 2 });
      stage.ec2.loseNextAnswer({ action, times: 2 });
      stage.ec2.failNext({ action, code: 'RequestLimitExceeded', httpStatus: 503, times: 1 });
    }
    await stage.createNodeENI('churn');
    await stage.ready('churn', 3);
    expect(stage.managedEnis()).to.have.length(3);
    await stage.deleteNodeENI('churn');
    await stage.gone('churn');
    expect(stage.managedEnis()).to.deep.equal([]);
  }).timeout(40_000);
});

describe('ENIs that wait for their turn', () => {
  it('are not made once their NodeENI is deleted', async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    const stage = await Stage.open();
    try {
      // Of 100 calls at once and 5 a second, 4 and 0.2.
      stage.start({ EC2_BUDGET_SHARE: '0.05' });
      const labels = { queue: 'true' };
      for (let n = 0; n < 12; n += 1) {
        await stage.addNode(`queue-${n}`, { labels });
      }
      await stage.createNodeENI('queue');
      await eventually(() => expect(stage.managedEnis()).to.have.length.of.at.least(4));
      await stage.deleteNodeENI('queue');
      await stage.gone('queue');
      expect(stage.managedEnis()).to.deep.equal([]);
      expect(stage.calls().CreateNetworkInterface).to.be.at.most(6);
    } finally {
      await stage.close();
    }
  });
});
