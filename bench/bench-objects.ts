import pLimit from 'p-limit';
import { NodeENI, type NodeENISpec } from '../src/api/node-eni.js';
import type { KubeClient } from '../src/runtime/kube/kube-client.js';
import { DEFAULT_IDS, type SimulatorControl } from '../tools/ec2-simulator/index.js';
import { createNode, labelNode } from '../tools/stage/nodes.js';
import { LABEL, OTHER_ZONE, ZONE } from './conditions.js';
import type { Scenario } from './scenario.js';

/** Requests of ours under way at once. */
const PARALLEL_REQUESTS = 16;

/** Addresses of each subnet of the simulator, a /19. */
const SUBNET_ADDRESSES = 8_187;
/** The subnets of the NodeENIs, in turn. */
const SUBNETS = [
  { id: DEFAULT_IDS.subnets.net1A, name: 'net1' },
  { id: DEFAULT_IDS.subnets.net2A, name: 'net2' },
] as const;

/** Adds a scenario's instances to EC2 and their Nodes to Kubernetes. */
export async function createNodes(
  { nodes, instanceType }: Scenario,
  { ec2, kube }: { ec2: SimulatorControl; kube: KubeClient },
): Promise<void> {
  await inParallel(indexes(nodes), async (index) => {
    const name = nodeName(index);
    const zone = index < SUBNET_ADDRESSES ? ZONE : OTHER_ZONE;
    const { id } = await ec2.addInstance({ zone, type: instanceType, name });
    const labels = { [LABEL]: 'true' };
    await createNode(kube, { name, instanceID: id, zone, instanceType, labels });
  });
}

/** Takes the label from the first `count` nodes. */
export async function unlabelNodes(count: number, kube: KubeClient): Promise<void> {
  await inParallel(indexes(count), (index) => labelNode(kube, nodeName(index), { [LABEL]: null }));
}

/** @param finalizers as a controller would have set them */
export async function createNodeENIs(
  { nodes, nodeENIs }: Scenario,
  kube: KubeClient,
  finalizers: string[] = [],
): Promise<NodeENI[]> {
  return inParallel(indexes(nodeENIs), (index) =>
    kube.create<NodeENI>(NodeENI.resource, {
      metadata: { name: nodeENIName(index), finalizers },
      spec: nodeENISpec(index, nodes),
    }),
  );
}

export async function deleteNodeENIs({ nodeENIs }: Scenario, kube: KubeClient): Promise<void> {
  await inParallel(indexes(nodeENIs), (index) =>
    kube.delete(NodeENI.resource, { name: nodeENIName(index) }),
  );
}

/** Works on all items, a few at a time; the results are in the items' order. */
export function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const limit = pLimit(PARALLEL_REQUESTS);
  return Promise.all(items.map((item) => limit(() => work(item))));
}

/** @param nodes how many; a subnet's name stands for one in either zone */
function nodeENISpec(index: number, nodes: number): NodeENISpec {
  const { id, name } = SUBNETS[index % SUBNETS.length] ?? SUBNETS[0];
  return {
    nodeSelector: { [LABEL]: 'true' },
    ...(nodes <= SUBNET_ADDRESSES ? { subnetID: id } : { subnetName: name }),
    securityGroupIDs: [DEFAULT_IDS.groups.net1],
    deviceIndex: index + 1,
    deleteOnTermination: true,
  };
}

function nodeName(index: number): string {
  return `node-${index}`;
}

function nodeENIName(index: number): string {
  return `bench-${index}`;
}

function indexes(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
