import { Node } from '../../src/api/node.js';
import type { KubeObject } from '../../src/runtime/kube/resource.js';
import type { Ec2Simulator } from '../ec2-simulator/index.js';
import { createNode } from '../stage/nodes.js';
import type { Kubernetes } from './kubernetes.js';

/** Names of the demo's nodes, and the letters of their zones. */
const ZONE_OF: Readonly<Record<string, string>> = { 'node-1': 'a', 'node-2': 'b', 'node-3': 'a' };

/**
 * Launches the demo's instances and registers them as kubelet would, ready and with its labels.
 * @returns the instances' ids by the nodes' names
 */
export async function registerNodes(options: {
  cluster: Kubernetes;
  ec2: Ec2Simulator;
  region: string;
}): Promise<ReadonlyMap<string, string>> {
  const { cluster, ec2, region } = options;
  const { kube, version } = cluster;
  const instances = new Map<string, string>();
  for (const [name, letter] of Object.entries(ZONE_OF)) {
    const zone = `${region}${letter}`;
    const instance = ec2.addInstance({ zone, type: 'm5.large', name });
    instances.set(name, instance.id);
    await createNode(kube, {
      name,
      instanceID: instance.id,
      zone,
      labels: { 'kubernetes.io/arch': 'amd64', 'kubernetes.io/os': 'linux' },
    });
    await kube.patch<KubeObject>(
      Node.resource,
      { name },
      {
        type: 'merge',
        body: {
          status: {
            addresses: [{ type: 'InternalIP', address: instance.privateIpAddress }],
            conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady' }],
            nodeInfo: { kubeletVersion: version },
          },
        },
      },
      { subresource: 'status' },
    );
  }
  return instances;
}
