import { expect } from 'chai';
import { Node } from '../../../src/api/node.js';
import { DEFAULT_IDS } from '../../../tools/ec2-simulator/index.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { eventually } from '../../support/eventually.js';
import { Stage, ZONE_A } from '../../support/stage.js';

describe('slots', () => {
  let stage: Stage;
  const labels = { slots: 'true' };

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    stage = await Stage.open();
    stage.start();
  });

  afterEach(() => stage.clear());
  after(() => stage.close());

  const placed = (instanceId: string) =>
    stage
      .managedEnis()
      .filter(({ attachment }) => attachment?.instanceId === instanceId)
      .map(({ attachment }) => [attachment?.networkCardIndex, attachment?.deviceIndex]);

  it('are picked on each node where the NodeENI leaves them to us', async () => {
    const busy = stage.ec2.addInstance({
      zone: ZONE_A,
      type: 'm5.4xlarge',
      extraInterfaces: [{ deviceIndex: 1 }, { deviceIndex: 3 }],
    });
    await stage.registerNode({ name: 'slots-a', instanceID: busy.id, zone: ZONE_A, labels });
    const idle = await stage.addNode('slots-b', { labels, type: 'm5.4xlarge' });
    const { net1A, net2A } = DEFAULT_IDS.subnets;
    await stage.createNodeENI('slots', { subnetIDs: [net1A, net2A], deviceIndexPolicy: 'Auto' });
    await stage.ready('slots', 4);
    expect(placed(busy.id)).to.have.deep.members([
      [0, 2],
      [0, 4],
    ]);
    expect(placed(idle)).to.have.deep.members([
      [0, 1],
      [0, 2],
    ]);
  });

  it('are found side by side by several NodeENIs at the same time', async () => {
    const instance = await stage.addNode('slots-a', { labels, type: 'm5.4xlarge' });
    const names = ['slots-1', 'slots-2', 'slots-3', 'slots-4'];
    const spec = { nodeSelector: labels, deviceIndexPolicy: 'Auto' } as const;
    await Promise.all(names.map((name) => stage.createNodeENI(name, spec)));
    for (const name of names) {
      await stage.ready(name, 1);
    }
    expect(placed(instance)).to.have.length(4);
  });

  it('lie on the network card that the NodeENI names, within that card’s limit', async () => {
    const instance = await stage.addNode('slots-a', { labels, type: 'c6in.32xlarge' });
    await stage.createNodeENI('slots', { networkCardIndex: 1, deviceIndex: 1 });
    await stage.ready('slots', 1);
    expect(placed(instance)).to.deep.equal([[1, 1]]);
  });

  it('that a node reserves for other software stay free', async () => {
    const instance = await stage.addNode('slots-a', { type: 't3.medium' });
    const annotations = { 'networking.k8s.aws/reserved-interfaces': '2' };
    await stage.kube.patch(
      Node.resource,
      { name: 'slots-a' },
      { type: 'merge', body: { metadata: { annotations, labels } } },
    );
    const { net1A, net2A } = DEFAULT_IDS.subnets;
    await stage.createNodeENI('slots', { subnetIDs: [net1A, net2A] });
    const nodeENI = await stage.degraded('slots', 'InstanceFull');
    const full = nodeENI.status?.conditions?.find(({ type }) => type === 'CapacityExceeded');
    expect(full?.message).to.include('1 more are reserved for other software');
    await eventually(() => expect(placed(instance)).to.have.length(1));
  });

  it('that an instance type lacks are told before an ENI is made', async () => {
    await stage.addNode('slots-a', { labels, type: 't3.micro' });
    const { net1A, net2A } = DEFAULT_IDS.subnets;
    await stage.createNodeENI('slots', { subnetIDs: [net1A, net2A] });
    const nodeENI = await stage.degraded('slots', 'InstanceFull');
    const full = nodeENI.status?.conditions?.find(({ type }) => type === 'CapacityExceeded');
    expect(full).to.include({ status: 'True', reason: 'InstanceFull' });
    expect(full?.message).to.include('supports 2 interfaces and has 2');
    expect(stage.calls().CreateNetworkInterface).to.equal(
      stage.managedEnis().length + (stage.calls().DeleteNetworkInterface ?? 0),
    );
  });
});
