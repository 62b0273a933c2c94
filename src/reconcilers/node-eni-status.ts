import {
  type Condition,
  ENI_ATTACHMENT_CONDITIONS,
  NODE_ENI_CONDITIONS,
} from '../api/conditions.js';
import type { ENIAttachment } from '../api/eni-attachment.js';
import type { NodeENI, NodeENIAttachment, NodeENIStatus } from '../api/node-eni.js';
import { type Blocked, REMEDIES } from '../api/reasons.js';
import { setCondition } from '../runtime/conditions.js';
import type { BlockedNode } from './plan-node-eni.js';

/** Entries of `status.attachments` that are kept: 5,000 would pass etcd's limit of 1.5 MiB an object. */
export const MAX_LISTED_ATTACHMENTS = 500;

/** Nodes that a condition's message names before it only counts. */
const MAX_NAMED_NODES = 3;

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
  /** The device index in effect. */
  deviceIndex: number;
  /** What keeps all nodes from their ENIs: a fault of the NodeENI itself. */
  fault?: Blocked | undefined;
  /** Milliseconds since the epoch. */
  now: number;
}

/** The NodeENI's next status: counts, attachments and the conditions Ready, Progressing, Degraded. */
export function nodeENIStatus(report: NodeENIReport): NodeENIStatus {
  const { nodeENI, nodes, desired, deviceIndex } = report;
  const records = [...report.records].sort(byNodeAndSlot);
  const live = records.filter((record) => !record.metadata.deletionTimestamp);
  const omitted = records.length - MAX_LISTED_ATTACHMENTS;
  return {
    ...(nodeENI.metadata.generation === undefined
      ? {}
      : { observedGeneration: nodeENI.metadata.generation }),
    deviceIndex,
    nodes,
    desired,
    attached: live.filter(isAttached).length,
    ready: live.filter((record) => record.status?.phase === 'Ready').length,
    attachments: records.slice(0, MAX_LISTED_ATTACHMENTS).map(entryOf),
    ...(omitted > 0 ? { attachmentsOmitted: omitted } : {}),
    conditions: conditionsOf(report, live),
  };
}

function isAttached({ status }: ENIAttachment): boolean {
  return status?.phase === 'Attached' || status?.phase === 'Ready';
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

function conditionsOf(report: NodeENIReport, live: readonly ENIAttachment[]): Condition[] {
  const { nodeENI, desired, records, now } = report;
  const problems = problemsOf(report, live);
  const ready = live.filter((record) => record.status?.phase === 'Ready').length;
  const leaving = records.length - live.length;
  const blockedCount = problems.length;
  const underWay = Math.max(0, desired - ready - blockedCount);
  const isReady = blockedCount === 0 && leaving === 0 && ready >= desired && !report.fault;
  const degraded = report.fault ?? summaryOf(problems, report.nodes);

  const settled: Told =
    desired === 0
      ? { reason: 'NoMatchingNodes', message: 'No node matches spec.nodeSelector.' }
      : { reason: 'AllReady', message: `All ${desired} ENIs are ready.` };
  const busy: Told = {
    reason: nodeENI.metadata.deletionTimestamp
      ? 'Deleting'
      : leaving > 0
        ? 'Removing'
        : 'Attaching',
    message: `${ready} of ${desired} ENIs are ready, ${underWay} on their way, ${leaving} being removed.`,
  };
  const { ready: READY, progressing, degraded: DEGRADED } = NODE_ENI_CONDITIONS;
  const told: Record<string, Told & { holds: boolean }> = {
    [READY]: { holds: isReady, ...(isReady ? settled : (degraded ?? busy)) },
    [progressing]: {
      holds: underWay + leaving > 0,
      ...(underWay + leaving > 0 ? busy : { reason: 'Settled', message: 'Nothing is under way.' }),
    },
    [DEGRADED]: {
      holds: degraded !== undefined,
      ...(degraded ?? { reason: 'AsExpected', message: 'Nothing keeps a node from its ENIs.' }),
    },
  };
  return Object.entries(told).reduce<Condition[]>(
    (conditions, [type, { holds, reason, message }]) =>
      setCondition(
        conditions,
        {
          type,
          status: holds ? 'True' : 'False',
          reason,
          message,
          observedGeneration: nodeENI.metadata.generation ?? 0,
        },
        now,
      ),
    nodeENI.status?.conditions ?? [],
  );
}

interface Told {
  reason: string;
  message: string;
}

/** Everything that keeps a node from an ENI: no record can be made, or the record cannot go on. */
function problemsOf(report: NodeENIReport, live: readonly ENIAttachment[]): BlockedNode[] {
  const atRecords = live.flatMap((record) => {
    const blocked = blockedOf(record);
    return blocked ? [{ node: record.spec.nodeName, blocked }] : [];
  });
  return [...report.blockedNodes, ...atRecords];
}

/** What a record's conditions say that it waits for, where that is for somebody to change something. */
function blockedOf(record: ENIAttachment): Blocked | undefined {
  const condition = record.status?.conditions?.find(
    ({ type }) => type === ENI_ATTACHMENT_CONDITIONS.ready,
  );
  return condition && condition.reason in REMEDIES
    ? { reason: condition.reason as Blocked['reason'], message: condition.message }
    : undefined;
}

/** One reason and one message for many problems: the most frequent reason, its first nodes by name. */
function summaryOf(problems: readonly BlockedNode[], nodes: number): Told | undefined {
  const byReason = [...Map.groupBy(problems, ({ blocked }) => blocked.reason)].sort(
    ([a, some], [b, others]) => others.length - some.length || (a < b ? -1 : 1),
  );
  const [top] = byReason;
  if (!top) {
    return undefined;
  }
  const affected = [...new Set(problems.map(({ node }) => node))].sort();
  const named = affected.slice(0, MAX_NAMED_NODES).join(', ');
  const more =
    affected.length > MAX_NAMED_NODES ? ` and ${affected.length - MAX_NAMED_NODES} more` : '';
  const messages = byReason.map(([, [first]]) => first?.blocked.message ?? '');
  return {
    reason: top[0],
    message: `${affected.length} of ${nodes} nodes lack ENIs (${named}${more}). ${messages.join(' ')}`,
  };
}
