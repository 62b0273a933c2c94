import { expect } from 'chai';
import { Node } from '../../../src/api/node.js';
import type { Condition } from '../../../src/runtime/kube/conditions.js';
import { eventually } from '../../support/eventually.js';
import { unlabel, untilUsable } from '../support/nodes.js';
import { withUsableInterface } from '../support/suite.js';

const ENIS_READY = 'networking.k8s.aws/ENIsReady';

describe('the condition ENIsReady of a Node', function () {
  const suite = withUsableInterface(this, { components: ['node-condition'] });

  async function condition(type: string): Promise<Condition | undefined> {
    const { cluster, node } = suite;
    const { status } = await cluster.kube.get<Node>(Node.resource, { name: node.name });
    return status?.conditions?.find((each) => each.type === type);
  }

  const until = (what: string) =>
    suite.cluster.kubectl(
      'wait',
      `--for=condition=${what}`,
      `node/${suite.node.name}`,
      '--timeout=120s',
    );

  it('can be waited for, and outlives what kubelet and the node lifecycle controller write', async () => {
    const { cluster, node } = suite;
    await until(`${ENIS_READY}=True`);
    const before = await condition(ENIS_READY);
    await node.powerOff();
    await until('Ready=Unknown');
    expect(await condition(ENIS_READY)).to.include({ type: ENIS_READY });
    await node.powerOn();
    await until('Ready=True');
    await eventually(() => untilUsable(cluster, node), 120_000);
    await until(`${ENIS_READY}=True`);
    expect(await condition(ENIS_READY)).to.include({ message: before?.message });
  });

  it('goes with the last NodeENI that selects the node', async () => {
    const { cluster, node } = suite;
    await until(`${ENIS_READY}=True`);
    await unlabel(cluster, node.name);
    await eventually(async () => expect(await condition(ENIS_READY)).to.equal(undefined), 30_000);
    expect(await condition('Ready')).to.include({ status: 'True' });
  });
});
