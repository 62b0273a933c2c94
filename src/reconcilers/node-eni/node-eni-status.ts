import type { ENIAttachment } from '../../api/eni-attachment.js';
import type { NodeENI, NodeENIAttachment, NodeENIStatus } from '../../api/node-eni.js';
import type { Blocked } from '../../api/reasons.js';
import type { Stated } from '../network-attachment/network-attachment-condition.js';
import { isAttached, isLive, isReady } from '../shared/attachment-state.js';
import { nodeENIConditions } from './node-eni-conditions.js';
import type { BlockedNode } from './plan-node-eni.js';

/** Entries of `status.attachments` that are kept: 5,000 would pass etcd's limit of 1.5 MiB an object. */
export const MAX_LISTED_ATTACHMENTS = 500;

export interface NodeENIReport {
  nodeENI: NodeENI;
  /** Nodes that the selector matches. */
  nodes: number;
  /** ENIs that these nodes should have. */
  desired: number;
  /** The records that are there, the ones being deleted included. */
  records: readonly ENIAttachment[];
  /** Nodes for which no record can be made. */
  blockedNodes: readonly BlockedNode[];
  /** Nodes that still have what they should have no longer, and wait for their turn. */
  outdated?: number;
  /** The device index in effect, where all nodes have the same. */
  deviceIndex: number | undefined;
  /** What keeps all nodes from their ENIs: a fault of the NodeENI itself. */
  fault?: Blocked | undefined;
  /** What the condition `NetworkAttachment` says; null: it is not there; undefined: as it is. */
  networkAttachment?: Stated | null | undefined;
  /** Milliseconds since the epoch. */
  now: number;
}

/** The NodeENI's next status: counts, attachments and the conditions Ready, Progressing, Degraded. */
export function nodeENIStatus(report: NodeENIReport): NodeENIStatus {
  const { nodeENI, nodes, desired, deviceIndex } = report;
  const records = [...report.records].sort(byNodeAndSlot);
  const live = records.filter(isLive);
  const omitted = records.length - MAX_LISTED_ATTACHMENTS;
  return {
    ...(nodeENI.metadata.generation === undefined
      ? {}
      : { observedGeneration: nodeENI.metadata.generation }),
    ...(deviceIndex === undefined ? {} : { deviceIndex }),
    nodes,
    desired,
    attached: live.filter(isAttached).length,
    ready: live.filter(isReady).length,
    attachments: records.slice(0, MAX_LISTED_ATTACHMENTS).map(entryOf),
    ...(omitted > 0 ? { attachmentsOmitted: omitted } : {}),
    conditions: nodeENIConditions(report, live),
  };
}

function byNodeAndSlot({ spec: a }: ENIAttachment, { spec: b }: ENIAttachment): number {
  return a.nodeName.localeCompare(b.nodeName) || a.deviceIndex - b.deviceIndex;
}

function entryOf(record: ENIAttachment): NodeENIAttachment {
  const { spec, status = {} } = record;
  return {
    nodeID: spec.nodeName,
    instanceID: spec.instanceID,
    ...(status.eniID === undefined ? {} : { eniID: status.eniID }),
    ...(status.attachmentID === undefined ? {} : { attachmentID: status.attachmentID }),
    subnetID: spec.subnetID,
    ...(spec.subnetCIDR === undefined ? {} : { subnetCIDR: spec.subnetCIDR }),
    ...(spec.mtu === undefined ? {} : { mtu: spec.mtu }),
    deviceIndex: spec.deviceIndex,
    status: isAttached(record) ? 'attached' : (status.phase ?? 'Pending').toLowerCase(),
    ...(status.lastUpdated === undefined ? {} : { lastUpdated: status.lastUpdated }),
  };
}
