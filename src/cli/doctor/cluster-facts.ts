import type { ENIAttachment } from '../../api/eni-attachment.js';
import type { Node } from '../../api/node.js';
import type { NodeENI } from '../../api/node-eni.js';
import type { KubeObject } from '../../runtime/kube/resource.js';
import type { Cluster } from '../shared/cluster.js';
import { KINDS, type Pod, SELECTORS, type Workload } from '../shared/kinds.js';
import { type AccessAnswer, readAccess } from './access.js';
import type { Answer } from './finding.js';

/** A CustomResourceDefinition, as far as doctor reads it. */
export interface Crd extends KubeObject {
  spec: {
    group: string;
    names: { plural: string; kind: string };
    versions: {
      name: string;
      served: boolean;
      schema?: { openAPIV3Schema?: Schema };
    }[];
  };
}

interface Schema {
  properties?: Record<string, Schema>;
}

export interface PolicyBinding extends KubeObject {
  spec: { policyName: string; validationActions?: string[] };
}

/** Everything that doctor reads of the cluster. */
export interface ClusterFacts {
  crds: Answer<Crd[]>;
  policies: Answer<KubeObject[]>;
  policyBindings: Answer<PolicyBinding[]>;
  controllers: Answer<Workload[]>;
  agents: Answer<Workload[]>;
  agentPods: Answer<Pod[]>;
  nodeENIs: Answer<NodeENI[]>;
  attachments: Answer<ENIAttachment[]>;
  nodes: Answer<Node[]>;
  /** What the operator's service accounts may do. */
  access: Answer<AccessAnswer[]>;
  /** Milliseconds since the epoch. */
  now: number;
}

/** Reads what it can; a failed read is recorded as a result too. */
export async function readFacts(cluster: Cluster, now: number): Promise<ClusterFacts> {
  const operators = { labelSelector: SELECTORS.all };
  const controllers = answer(cluster.controllers());
  const agents = answer(cluster.agents());
  const [crds, policies, policyBindings, agentPods, nodeENIs, attachments, nodes] =
    await Promise.all([
      answer(cluster.all<Crd>(KINDS.crds)),
      answer(cluster.all<KubeObject>(KINDS.policies, operators)),
      answer(cluster.all<PolicyBinding>(KINDS.policyBindings, operators)),
      answer(cluster.pods(SELECTORS.agent)),
      answer(cluster.nodeENIs()),
      answer(cluster.attachments()),
      answer(cluster.nodes()),
    ]);
  const workloads = { controllers: await controllers, agents: await agents };
  return {
    crds,
    policies,
    policyBindings,
    ...workloads,
    agentPods,
    nodeENIs,
    attachments,
    nodes,
    access: await answer(readAccess(cluster.client, workloads)),
    now,
  };
}

async function answer<T>(reading: Promise<T>): Promise<Answer<T>> {
  try {
    return { value: await reading };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}
