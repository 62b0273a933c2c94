import { GO_CONTROLLER, GO_TAGS } from '../../src/api/go-controller.js';
import { NodeENI, type NodeENIAttachment, type NodeENISpec } from '../../src/api/node-eni.js';
import type { KubeClient } from '../../src/runtime/kube/kube-client.js';
import type { KubeObject } from '../../src/runtime/kube/resource.js';
import { DEFAULT_IDS, type Ec2Simulator } from '../../tools/ec2-simulator/index.js';

interface Servers {
  kube: KubeClient;
  ec2: Ec2Simulator;
}

/** One ENI as the Go controller attached it. */
interface LeftEni {
  node: string;
  instanceID: string;
  deviceIndex?: number;
  subnetID?: string;
  /** Tags that differ from those that the Go controller sets. */
  tags?: Record<string, string>;
  /** Whether EC2 still has it; default: true. */
  exists?: boolean;
}

interface Left {
  name: string;
  spec?: Partial<NodeENISpec>;
  enis: LeftEni[];
}

/**
 * Stores a NodeENI and its ENIs as the Go controller leaves them.
 * @returns the ids of the ENIs, in the order given
 */
export async function leave(stage: Servers, { name, spec, enis }: Left): Promise<string[]> {
  const entries = enis.map((eni) => entryOf(stage, name, eni));
  await stage.kube.create<KubeObject & { spec: NodeENISpec }>(NodeENI.resource, {
    metadata: { name, finalizers: [GO_CONTROLLER.finalizer] },
    spec: {
      nodeSelector: { [name.slice(0, 60)]: 'true' },
      ...(spec?.subnetIDs || spec?.subnetNames ? {} : { subnetID: DEFAULT_IDS.subnets.net1A }),
      securityGroupIDs: [DEFAULT_IDS.groups.net1],
      ...spec,
    },
  });
  await stage.kube.patch(
    NodeENI.resource,
    { name },
    { type: 'merge', body: { status: { attachments: entries } } },
    { subresource: 'status' },
  );
  return entries.map(({ eniID = '' }) => eniID);
}

function entryOf(stage: Servers, name: string, left: LeftEni): NodeENIAttachment {
  const {
    node,
    instanceID,
    deviceIndex = 1,
    subnetID = DEFAULT_IDS.subnets.net1A,
    tags,
    exists = true,
  } = left;
  const eni = exists
    ? stage.ec2.addInterface({
        subnetId: subnetID,
        securityGroupIds: [DEFAULT_IDS.groups.net1],
        description: `ENI created by nodeeni-controller for node ${node}`,
        tags: {
          [GO_TAGS.managedBy]: GO_CONTROLLER.managerName,
          [GO_TAGS.nodeENI]: name,
          [GO_TAGS.node]: node,
          'node.k8s.amazonaws.com/no_manage': 'true',
          ...tags,
        },
        attachment: { instanceId: instanceID, deviceIndex, deleteOnTermination: true },
      })
    : undefined;
  return {
    nodeID: node,
    instanceID,
    eniID: eni?.id ?? 'eni-0000000000000dead',
    subnetID,
    deviceIndex,
    status: 'attached',
    lastUpdated: '2026-11-25T21:16:15Z',
  };
}
