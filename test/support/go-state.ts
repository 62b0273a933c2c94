import { readFileSync } from 'node:fs';
import { NodeENI, type NodeENISpec, type NodeENIStatus } from '../../src/api/node-eni.js';
import type { KubeClient } from '../../src/runtime/kube/kube-client.js';
import type { KubeObject } from '../../src/runtime/kube/resource.js';
import type { Ec2Simulator, SimulatorOptions } from '../../tools/ec2-simulator/index.js';
import { createNode } from '../../tools/stage/nodes.js';

const FOLDER = 'test/integration/operators/fixtures/go-controller';
/** The schema under which the Go controller's objects were stored. */
export const GO_CRDS = `${FOLDER}/crd`;

interface SavedEni {
  id: string;
  subnetId: string;
  securityGroupIds: string[];
  description: string;
  tags: Record<string, string>;
  attachment: {
    instanceId: string;
    deviceIndex: number;
    networkCardIndex: number;
    deleteOnTermination: boolean;
  };
}

export interface SavedNodeENI {
  metadata: { name: string; annotations?: Record<string, string>; finalizers?: string[] };
  spec: NodeENISpec;
  status: NodeENIStatus;
}

/** What the Go controller left in a run of its binary (v1.3.8). */
export interface GoState {
  zone: string;
  instanceType: string;
  vpc: string;
  subnets: { id: string; name: string; cidr: string }[];
  groups: { id: string; name: string }[];
  nodes: { name: string; labels: Record<string, string>; instanceID: string }[];
  enis: SavedEni[];
  nodeENIs: SavedNodeENI[];
}

export function goState(): GoState {
  return JSON.parse(readFileSync(`${FOLDER}/state.json`, 'utf8')) as GoState;
}

/** The simulator's options for the state's network and instances. */
export function goWorld({
  vpc,
  zone,
  subnets,
  groups,
  nodes,
  instanceType,
}: GoState): SimulatorOptions {
  return {
    network: {
      vpcs: [{ id: vpc, cidr: '10.0.0.0/16' }],
      subnets: subnets.map((subnet) => ({ ...subnet, vpcId: vpc, zone })),
      securityGroups: groups.map((group) => ({ ...group, vpcId: vpc })),
      instances: nodes.map(({ instanceID: id, name }) => ({ id, name, zone, type: instanceType })),
    },
  };
}

/**
 * Puts the ENIs into the simulator and the objects into the API server, as the Go controller stored them.
 * @returns the ids that the simulator gave to the ENIs, by the saved ones
 */
export async function restoreGoState(
  state: GoState,
  { kube, ec2 }: { kube: KubeClient; ec2: Ec2Simulator },
): Promise<Map<string, string>> {
  const ids = restoreEnis(state, ec2);
  for (const { name, labels, instanceID } of state.nodes) {
    await createNode(kube, {
      name,
      instanceID,
      zone: state.zone,
      instanceType: state.instanceType,
      labels,
    });
  }
  for (const nodeENI of state.nodeENIs) await restoreNodeENI(nodeENI, ids, kube);
  return ids;
}

function restoreEnis({ enis }: GoState, ec2: Ec2Simulator): Map<string, string> {
  return new Map(enis.map(({ id, ...eni }) => [id, ec2.addInterface(eni).id]));
}

export async function restoreNodeENI(
  { metadata, spec, status }: SavedNodeENI,
  ids: ReadonlyMap<string, string>,
  kube: KubeClient,
): Promise<void> {
  await kube.create<KubeObject & { spec: NodeENISpec }>(NodeENI.resource, { metadata, spec });
  const attachments = (status.attachments ?? []).map((entry) => ({
    ...entry,
    ...(entry.eniID === undefined ? {} : { eniID: ids.get(entry.eniID) ?? entry.eniID }),
  }));
  await kube.patch(
    NodeENI.resource,
    metadata,
    { type: 'merge', body: { status: { ...status, attachments } } },
    { subresource: 'status' },
  );
}
