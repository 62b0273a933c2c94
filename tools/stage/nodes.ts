import { Node } from '../../src/api/node.js';
import type { KubeClient } from '../../src/runtime/kube/kube-client.js';
import type { KubeObject } from '../../src/runtime/kube/resource.js';

/** What a Node object says about its instance. */
export interface StageNode {
  name: string;
  instanceID: string;
  zone: string;
  instanceType?: string;
  labels?: Readonly<Record<string, string>>;
}

interface NodeObject extends KubeObject {
  spec: { providerID: string };
}

/** Registers an instance as a Node, as kubelet and the AWS cloud provider would. */
export async function createNode(kube: KubeClient, node: StageNode): Promise<void> {
  const { name, instanceID, zone, instanceType = 'm5.large', labels } = node;
  await kube.create<NodeObject>(Node.resource, {
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'node.kubernetes.io/instance-type': instanceType,
        'topology.kubernetes.io/zone': zone,
        'topology.kubernetes.io/region': zone.slice(0, -1),
        ...labels,
      },
    },
    spec: { providerID: `aws:///${zone}/${instanceID}` },
  });
}

/** Sets labels of a Node; null takes one away. */
export async function labelNode(
  kube: KubeClient,
  name: string,
  labels: Readonly<Record<string, string | null>>,
): Promise<void> {
  await kube.patch(Node.resource, { name }, { type: 'merge', body: { metadata: { labels } } });
}

export async function deleteNode(kube: KubeClient, name: string): Promise<void> {
  await kube.delete(Node.resource, { name });
}
