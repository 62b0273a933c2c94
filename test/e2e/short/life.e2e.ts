import { expect } from 'chai';
import type { RealCluster } from '../../../tools/real-node/real-cluster.js';
import type { RealNode } from '../../../tools/real-node/real-node.js';
import { eventually } from '../../support/eventually.js';
import {
  applyNodeENI,
  enisOf,
  label,
  NODE_ENI,
  unlabel,
  untilNothingIsLeft,
  untilUsable,
} from '../support/nodes.js';
import { Operator } from '../support/operator.js';
import { CLUSTER_TIMEOUT_MS, sharedCluster } from '../support/shared-cluster.js';

describe('the operator, deployed by the README', function () {
  this.timeout(120_000);
  let cluster: RealCluster;
  let operator: Operator;
  let node: RealNode;

  before(async function () {
    this.timeout(CLUSTER_TIMEOUT_MS);
    cluster = await sharedCluster();
    operator = new Operator(cluster);
    node = cluster.node('node1');
  });

  it('rolls out: the controller, and an agent on each node', async () => {
    await operator.deploy();
    expect(await operator.readyPods('controller')).to.have.length(1);
    expect(await operator.readyPods('agent')).to.have.length(cluster.nodes.length);
  });

  it('makes an interface usable on a node that gets the label', async () => {
    await applyNodeENI(cluster);
    await label(cluster, node.name);
    await untilUsable(cluster, node);
  });

  for (const component of ['controller', 'agent'] as const) {
    it(`attaches one ENI where the ${component} is killed meanwhile`, async () => {
      await unlabel(cluster, node.name);
      await untilNothingIsLeft(cluster);
      const pod = await operator.pod(component, component === 'agent' ? node.name : undefined);
      await label(cluster, node.name);
      await untilAttaching();
      await operator.kill(pod);
      await untilUsable(cluster, node);
    });
  }

  async function untilAttaching(): Promise<void> {
    await eventually(() => {
      expect(enisOf(cluster).map(({ attachment }) => attachment?.status)).to.deep.equal([
        'attaching',
      ]);
    });
  }

  it('leaves nothing behind where the label goes', async () => {
    await unlabel(cluster, node.name);
    await untilNothingIsLeft(cluster);
  });

  it('is not undeployed while ENIs exist', async () => {
    await label(cluster, node.name);
    await untilUsable(cluster, node);
    const refusal = await operator.undeploy().catch((error: Error) => error.message);
    expect(refusal).to.include('ENIS=delete').and.include(NODE_ENI);
    expect(await operator.readyPods('controller')).to.have.length(1);
  });

  it('is undeployed with its ENIs on request', async () => {
    await operator.undeploy({ enis: 'delete' });
    expect(enisOf(cluster)).to.deep.equal([]);
    const left = await cluster.kubectl('get', 'crd,ns,clusterrole', '--output=name');
    expect(left).not.to.include('eni');
  });
});
