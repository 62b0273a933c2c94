import { expect } from 'chai';
import { OLDER_IMAGE, type OlderState } from '../../../tools/real-node/older-state.js';
import type { RealCluster } from '../../../tools/real-node/real-cluster.js';
import type { RealNode } from '../../../tools/real-node/real-node.js';
import { applyNodeENI, label, untilUsable } from '../support/nodes.js';
import { Operator } from '../support/operator.js';
import { CLUSTER_TIMEOUT_MS, sharedCluster } from '../support/shared-cluster.js';
import { removeAll } from '../support/suite.js';
import { undisturbed } from '../support/undisturbed.js';

describe('an upgrade from the state before the CRDs last changed', function () {
  this.timeout(240_000);
  let cluster: RealCluster;
  let operator: Operator;
  let node: RealNode;
  let older: OlderState;

  before(async function () {
    this.timeout(CLUSTER_TIMEOUT_MS);
    cluster = await sharedCluster();
    if (!cluster.older) return this.skip();
    older = cluster.older;
    operator = new Operator(cluster);
    node = cluster.node('node1');
    for (const each of cluster.nodes) await each.ctr('images', 'import', older.image);
  });

  after(async () => {
    if (older) await removeAll({ cluster, operator, node });
  });

  const deployOlder = () => operator.deploy({ sources: older.sources, image: OLDER_IMAGE });

  /** Of the pods that are not about to end. */
  async function images(): Promise<Set<string>> {
    const pods = [...(await operator.pods('controller')), ...(await operator.pods('agent'))];
    return new Set(pods.flatMap(({ spec }) => spec.containers.map(({ image }) => image)));
  }

  it('begins with an interface that the older one made', async () => {
    await deployOlder();
    await applyNodeENI(cluster);
    await label(cluster, node.name);
    await untilUsable(cluster, node);
    expect([...(await images())]).to.deep.equal([OLDER_IMAGE]);
  });

  it('disturbs no interface, nor does the way back', async () => {
    await undisturbed({ cluster, node }, () => operator.deploy());
    expect([...(await images())]).not.to.include(OLDER_IMAGE);
    await undisturbed({ cluster, node }, deployOlder);
    expect([...(await images())]).to.deep.equal([OLDER_IMAGE]);
    await undisturbed({ cluster, node }, () => operator.deploy());
  });
});
