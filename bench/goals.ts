import type { ENIAttachment } from '../src/api/eni-attachment.js';
import type { NodeENI } from '../src/api/node-eni.js';
import type { Eni } from '../tools/ec2-simulator/index.js';
import type { BenchCluster } from './bench-cluster.js';
import type { Goal } from './goal.js';

/** One change, as EC2, the ENIAttachments and the NodeENIs show that it is done. */
export interface Goals {
  ec2: Goal;
  attachments: Goal;
  nodeENIs: Goal;
}

/** Every one of `nodes` nodes has an ENI of every one of `nodeENIs` NodeENIs. */
export function attached(
  cluster: BenchCluster,
  { nodes, nodeENIs }: { nodes: number; nodeENIs: number },
): Goals {
  return {
    ec2: {
      what: 'ENIs attached',
      target: nodes * nodeENIs,
      count: async () => (await cluster.managedEnis()).filter(isAttached).length,
    },
    attachments: {
      what: 'ENIAttachments Ready',
      target: nodes * nodeENIs,
      count: () => cluster.attachments.list().filter(isReady).length,
    },
    nodeENIs: nodeENIsSettled(cluster, { nodes, nodeENIs }),
  };
}

/** The ENIs of all but `nodes` nodes are gone. */
export function reducedTo(
  cluster: BenchCluster,
  { nodes, nodeENIs }: { nodes: number; nodeENIs: number },
): Goals {
  return {
    ...remaining(cluster, nodes * nodeENIs),
    nodeENIs: nodeENIsSettled(cluster, { nodes, nodeENIs }),
  };
}

/** Nothing is left. */
export function gone(cluster: BenchCluster): Goals {
  return {
    ...remaining(cluster, 0),
    nodeENIs: { what: 'NodeENIs left', target: 0, count: () => cluster.nodeENIs.size },
  };
}

function remaining(cluster: BenchCluster, enis: number): Pick<Goals, 'ec2' | 'attachments'> {
  return {
    ec2: {
      what: 'ENIs left',
      target: enis,
      count: async () => (await cluster.managedEnis()).length,
    },
    attachments: {
      what: 'ENIAttachments left',
      target: enis,
      count: () => cluster.attachments.size,
    },
  };
}

function nodeENIsSettled(
  cluster: BenchCluster,
  { nodes, nodeENIs }: { nodes: number; nodeENIs: number },
): Goal {
  return {
    what: 'NodeENIs Ready',
    target: nodeENIs,
    count: () => cluster.nodeENIs.list().filter((each) => hasAll(each, nodes)).length,
  };
}

function isAttached({ attachment }: Eni): boolean {
  return attachment?.status === 'attached' && attachment.deleteOnTermination;
}

function isReady({ status }: ENIAttachment): boolean {
  return status?.phase === 'Ready';
}

function hasAll({ status }: NodeENI, nodes: number): boolean {
  return (
    status?.desired === nodes &&
    status.ready === nodes &&
    (status.conditions ?? []).some(({ type, status: is }) => type === 'Ready' && is === 'True')
  );
}
