import { expect } from 'chai';
import { Node } from '../../../src/api/node.js';
import type { Condition } from '../../../src/runtime/kube/conditions.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { eventually } from '../../support/eventually.js';
import { Stage } from '../../support/stage.js';

const TYPE = 'networking.k8s.aws/ENIsReady';
const SETTINGS = { NODE_CONDITION: 'true' };
const labels = { condition: 'true' };

describe('the condition ENIsReady of a Node', () => {
  let stage: Stage;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    stage = await Stage.open();
    stage.start(SETTINGS);
  });

  afterEach(async () => {
    stage.ec2.clearFaults();
    await stage.clear();
  });

  after(() => stage.close());

  async function conditions(node: string): Promise<Condition[]> {
    const { status } = await stage.kube.get<Node>(Node.resource, { name: node });
    return status?.conditions ?? [];
  }

  async function condition(node: string): Promise<Condition | undefined> {
    return (await conditions(node)).find(({ type }) => type === TYPE);
  }

  const becomes = (node: string, status: string, reason: string) =>
    eventually(async () => {
      const found = await condition(node);
      expect(found).to.include({ status, reason });
      return found;
    });

  it('follows the ENIs of all NodeENIs of the node, and goes with the last of them', async () => {
    await stage.addNode('condition-a', { labels });
    await stage.addNode('condition-b');
    stage.ec2.failNext({ action: 'AttachNetworkInterface', code: 'InternalError', times: 10_000 });
    await stage.createNodeENI('condition', { nodeSelector: labels });
    const waiting = await becomes('condition-a', 'False', 'InProgress');
    expect(waiting?.message).to.equal('Waiting for the ENIs of condition.');
    stage.ec2.clearFaults();
    await becomes('condition-a', 'True', 'AllReady');

    await stage.createNodeENI('second', {
      nodeSelector: labels,
      deviceIndex: 2,
      subnetName: 'none',
    });
    const blocked = await becomes('condition-a', 'False', 'SubnetNotFound');
    expect(blocked?.message).to.match(/^second: .*"none"/);
    await stage.deleteNodeENI('second');
    await becomes('condition-a', 'True', 'AllReady');

    expect(await condition('condition-b'), 'selected by none').to.equal(undefined);
    await stage.label('condition-a', { condition: null });
    await eventually(async () => expect(await condition('condition-a')).to.equal(undefined));
  });

  it('leaves kubelet’s conditions alone, and comes back where a user removes it', async () => {
    await stage.addNode('condition-c', { labels });
    const kubelets = {
      type: 'Ready',
      status: 'True',
      reason: 'KubeletReady',
      message: 'kubelet is ready',
      lastHeartbeatTime: '2026-01-01T00:00:00Z',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    const write = (conditions: object[]) =>
      stage.kube.patch(
        Node.resource,
        { name: 'condition-c' },
        { type: 'merge', body: { status: { conditions } } },
        { subresource: 'status' },
      );
    await write([kubelets]);
    await stage.createNodeENI('condition', { nodeSelector: labels });
    await becomes('condition-c', 'True', 'AllReady');
    expect(await conditions('condition-c')).to.deep.include(kubelets);
    await write([kubelets]);
    await becomes('condition-c', 'True', 'AllReady');
  });

  it('is written on change only: not by a new controller, nor where ENIs are kept', async () => {
    await stage.addNode('condition-d', { labels });
    await stage.createNodeENI('condition', { nodeSelector: labels });
    await stage.ready('condition', 1);
    const before = await becomes('condition-d', 'True', 'AllReady');
    // Nothing else writes this Node.
    const version = async () =>
      (await stage.kube.get<Node>(Node.resource, { name: 'condition-d' })).metadata.resourceVersion;
    const versionBefore = await version();
    await stage.log.stop();
    stage.start(SETTINGS);
    await stage.patchNodeENI('condition', { description: 'read by the new controller' });
    await eventually(() =>
      expect(stage.ec2.state.enis.map(({ description }) => description)).to.include(
        'read by the new controller',
      ),
    );
    await stage.ready('condition', 1);
    expect(await condition('condition-d')).to.deep.equal(before);

    await stage.patchNodeENI('condition', { subnetName: 'none', subnetID: null });
    await stage.degraded('condition', 'SubnetNotFound');
    expect(await condition('condition-d'), 'the node keeps its ENI').to.deep.equal(before);
    expect(await version()).to.equal(versionBefore);
  });

  it('gives the reason why an ENI cannot be attached', async () => {
    const full = {
      action: 'CreateNetworkInterface',
      code: 'InsufficientFreeAddressesInSubnet',
      message: 'The subnet has no free address.',
      httpStatus: 400,
      times: 10_000,
    };
    stage.ec2.failNext(full);
    await stage.addNode('condition-e', { labels });
    await stage.createNodeENI('condition', { nodeSelector: labels });
    await becomes('condition-e', 'False', 'SubnetFull');
    stage.ec2.clearFaults();
    await becomes('condition-e', 'True', 'AllReady');
  });
});
