import type { RealCluster } from '../../../tools/real-node/real-cluster.js';
import type { RealNode } from '../../../tools/real-node/real-node.js';
import {
  applyNodeENI,
  label,
  NODE_ENI,
  unlabel,
  untilNothingIsLeft,
  untilUsable,
} from './nodes.js';
import { type DeployOptions, Operator } from './operator.js';
import { CLUSTER_TIMEOUT_MS, sharedCluster } from './shared-cluster.js';

/** What the tests of one file work with; filled before the first of them. */
export interface Suite {
  cluster: RealCluster;
  operator: Operator;
  /** The first node. */
  node: RealNode;
}

const TEST_TIMEOUT_MS = 180_000;

/**
 * For a `describe` block: deploys the operator before its tests, makes an interface usable on the first node before
 * each, and takes all away again after them.
 */
export function withUsableInterface(this_: Mocha.Suite, options: DeployOptions = {}): Suite {
  this_.timeout(TEST_TIMEOUT_MS);
  const suite = {} as Suite;

  before(async function () {
    this.timeout(CLUSTER_TIMEOUT_MS + TEST_TIMEOUT_MS);
    suite.cluster = await sharedCluster();
    suite.operator = new Operator(suite.cluster);
    suite.node = suite.cluster.node('node1');
    await suite.operator.deploy(options);
    await applyNodeENI(suite.cluster);
  });

  beforeEach(async () => {
    await label(suite.cluster, suite.node.name);
    await untilUsable(suite.cluster, suite.node);
  });

  after(() => removeAll(suite, options));

  return suite;
}

/** Takes the ENIs and the operator away. */
export async function removeAll(
  { cluster, operator, node }: Suite,
  options: DeployOptions = {},
): Promise<void> {
  await unlabel(cluster, node.name);
  await untilNothingIsLeft(cluster);
  await cluster.kubectl('delete', 'nodeeni', NODE_ENI, '--ignore-not-found');
  await operator.undeploy(options);
}
