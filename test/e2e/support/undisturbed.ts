import { expect } from 'chai';
import type { RealCluster } from '../../../tools/real-node/real-cluster.js';
import type { RealNode } from '../../../tools/real-node/real-node.js';
import { LinkWatch } from './link-watch.js';
import { enisOf, untilUsable } from './nodes.js';

/** Does `change`, and expects the cluster's ENIs and the node's interface to stay as they are. */
export async function undisturbed(
  { cluster, node }: { cluster: RealCluster; node: RealNode },
  change: () => Promise<unknown>,
): Promise<void> {
  const before = enisOf(cluster).map(({ id }) => id);
  const watch = LinkWatch.start(node);
  await change();
  await untilUsable(cluster, node);
  expect(await watch.stop(), 'changes of the link').to.deep.equal([]);
  expect(enisOf(cluster).map(({ id }) => id)).to.deep.equal(before);
}
