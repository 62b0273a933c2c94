import { expect } from 'chai';
import { eventually } from '../../support/eventually.js';
import { enisOf, label, untilUsable } from '../support/nodes.js';
import { withUsableInterface } from '../support/suite.js';

describe('a node', function () {
  const suite = withUsableInterface(this);

  async function untilNodeIs(name: string, status: 'True' | 'False' | 'Unknown'): Promise<void> {
    const { cluster } = suite;
    await cluster.kubectl(
      'wait',
      `--for=condition=Ready=${status}`,
      `node/${name}`,
      '--timeout=120s',
    );
  }

  it('that is drained gives the controller to another, and keeps its agent and its ENI', async () => {
    const { cluster, operator, node } = suite;
    const { spec, metadata } = await operator.pod('controller');
    const drained = spec.nodeName ?? '';
    const agent = await operator.pod('agent', drained);
    const before = enisOf(cluster).map(({ id }) => id);
    try {
      await cluster.kubectl('drain', drained, '--ignore-daemonsets', '--timeout=90s');
      const successor = await operator.pod('controller');
      expect(successor.metadata.name).not.to.equal(metadata.name);
      expect(successor.spec.nodeName).not.to.equal(drained);
    } finally {
      await cluster.kubectl('uncordon', drained);
    }
    expect((await operator.pod('agent', drained)).metadata.name).to.equal(agent.metadata.name);
    await untilUsable(cluster, node);
    expect(enisOf(cluster).map(({ id }) => id)).to.deep.equal(before);
  });

  it('that reboots has its interface again, by the same ENI', async () => {
    const { cluster, node } = suite;
    const before = enisOf(cluster).map(({ id }) => id);
    await node.powerOff();
    await node.powerOn();
    const started = Date.now();
    await eventually(() => untilUsable(cluster, node), 120_000);
    console.log(
      `      usable ${Math.round((Date.now() - started) / 1000)} s after kubelet started`,
    );
    expect(enisOf(cluster).map(({ id }) => id)).to.deep.equal(before);
  });

  it('that is replaced under its name has an ENI of its own, and that of the old instance is gone', async () => {
    const { cluster, node: old } = suite;
    const before = enisOf(cluster).map(({ id }) => id);
    await cluster.removeNode(old);
    await cluster.kubectl('delete', 'node', old.name);
    cluster.ec2.terminateInstance(old.place.instanceId);
    const node = await cluster.addNode(old.place.number, { instanceId: 'i-0e2e000000000beef' });
    suite.node = node;
    await untilNodeIs(node.name, 'True');
    await label(cluster, node.name);
    await untilUsable(cluster, node, 120_000);
    await eventually(() => {
      const now = enisOf(cluster).map(({ id }) => id);
      expect(now).to.have.length(1);
      expect(now).not.to.include(before[0]);
    }, 60_000);
  });
});
