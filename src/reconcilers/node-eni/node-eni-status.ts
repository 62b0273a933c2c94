import { ENI_ATTACHMENT_CONDITIONS, NODE_ENI_CONDITIONS } from '../../api/conditions.js';
import type { ENIAttachment } from '../../api/eni-attachment.js';
import { LINK_REMEDIES } from '../../api/link-faults.js';
import type { KeptAddress, NodeENI, NodeENIAttachment, NodeENIStatus } from '../../api/node-eni.js';
import { type Blocked, CAPACITY_REASONS, REMEDIES } from '../../api/reasons.js';
import {
  type Condition,
  type Explanation,
  findCondition,
  setCondition,
} from '../../runtime/kube/conditions.js';
import { firstFew } from '../../runtime/message-text.js';
import { adoptedCondition } from '../migration/adopted-condition.js';
import { type MigrationState, NO_MIGRATION, unadoptedIn } from '../migration/plan-migration.js';
import type { Stated } from '../network-attachment/network-attachment-condition.js';
import { isAttached, isLive, isReady } from '../shared/attachment-state.js';
import type { BlockedNode } from './plan-node-eni.js';

/** Limit of `status.attachments`: 5,000 entries would exceed etcd's limit of 1.5 MiB per object. */
export const MAX_LISTED_ATTACHMENTS = 500;

export interface NodeENIReport {
  nodeENI: NodeENI;
  /** Nodes that the selector matches. */
  nodes: number;
  /** ENIs that these nodes should have. */
  desired: number;
  /** All attachments that exist, including those being deleted. */
  attachments: readonly ENIAttachment[];
  /** Nodes for which no attachment can be created. */
  blockedNodes: readonly BlockedNode[];
  /** Nodes with ENIs that wait to be replaced. */
  outdated?: number;
  /** Addresses to remember for nodes without an ENI; unset: those in the status. */
  keptAddresses?: readonly KeptAddress[];
  /** The device index in effect, if it is the same on all nodes. */
  deviceIndex: number | undefined;
  /** A fault of the NodeENI itself, which blocks all its nodes. */
  fault?: Blocked | undefined;
  /** The condition `NetworkAttachment`; null: remove it; undefined: leave it as it is. */
  networkAttachment?: Stated | null | undefined;
  /** The result for ENIs of the Go controller; entries without a result stay. */
  migration?: MigrationState;
  /** Milliseconds since the epoch. */
  now: number;
}

/** The NodeENI's next status: counts, attachments and the conditions Ready, Progressing, Degraded. */
export function nodeENIStatus(report: NodeENIReport): NodeENIStatus {
  const { nodeENI, nodes, desired, deviceIndex } = report;
  const attachments = [...report.attachments].sort(byNodeAndSlot);
  const live = attachments.filter(isLive);
  const unadopted = unadoptedOf(report);
  const room = Math.max(0, MAX_LISTED_ATTACHMENTS - unadopted.length);
  const omitted = attachments.length - room;
  const kept = report.keptAddresses ?? nodeENI.status?.keptAddresses ?? [];
  return {
    ...(nodeENI.metadata.generation === undefined
      ? {}
      : { observedGeneration: nodeENI.metadata.generation }),
    ...(deviceIndex === undefined ? {} : { deviceIndex }),
    nodes,
    desired,
    attached: live.filter(isAttached).length,
    ready: live.filter(isReady).length,
    attachments: [
      ...unadopted.map(({ entry, reason }) => ({ ...entry, adoption: reason })),
      ...attachments.slice(0, room).map(entryOf),
    ],
    ...(omitted > 0 ? { attachmentsOmitted: omitted } : {}),
    ...(kept.length > 0 ? { keptAddresses: [...kept] } : {}),
    conditions: nodeENIConditions(report, live),
  };
}

/** Entries that no attachment records, in exactly the version of the NodeENI whose status is written. */
function unadoptedOf({ nodeENI, attachments, migration = NO_MIGRATION }: NodeENIReport) {
  return unadoptedIn(nodeENI, attachments, migration);
}

function byNodeAndSlot({ spec: a }: ENIAttachment, { spec: b }: ENIAttachment): number {
  return a.nodeName.localeCompare(b.nodeName) || a.deviceIndex - b.deviceIndex;
}

/** The attachment as an entry of `status.attachments`. */
export function entryOf(attachment: ENIAttachment): NodeENIAttachment {
  const { spec, status = {} } = attachment;
  return {
    nodeID: spec.nodeName,
    instanceID: spec.instanceID,
    ...(status.eniID === undefined ? {} : { eniID: status.eniID }),
    ...(status.attachmentID === undefined ? {} : { attachmentID: status.attachmentID }),
    subnetID: spec.subnetID,
    ...(spec.subnetCIDR === undefined ? {} : { subnetCIDR: spec.subnetCIDR }),
    ...(spec.mtu === undefined ? {} : { mtu: spec.mtu }),
    deviceIndex: spec.deviceIndex,
    status: isAttached(attachment) ? 'attached' : (status.phase ?? 'Pending').toLowerCase(),
    ...(status.lastUpdated === undefined ? {} : { lastUpdated: status.lastUpdated }),
  };
}

/** How many nodes a condition's message names; it only counts the others. */
const MAX_NAMED_NODES = 3;

/** Why a node lacks an ENI: EC2, or the node's own network. */
interface Problem {
  node: string;
  blocked: Explanation;
  /** Whether the node has its ENIs nevertheless: attached, but not usable or not as specified. */
  isServed: boolean;
}

/** The state of a NodeENI's ENIs in numbers. */
interface Tally {
  desired: number;
  ready: number;
  underWay: number;
  leaving: number;
  /** Nodes with ENIs that wait to be replaced. */
  outdated: number;
}

/**
 * The conditions of a NodeENI: `Ready`, `Progressing`, `Degraded`, `CapacityExceeded`, and `NetworkAttachment`
 * if the NodeENI has `spec.networkAttachment`.
 * @param live the attachments that are not being deleted
 */
export function nodeENIConditions(
  report: NodeENIReport,
  live: readonly ENIAttachment[],
): Condition[] {
  const { nodeENI, now } = report;
  const problems = problemsOf(report, live);
  const tally = tallyOf(
    report,
    live,
    problems.length - report.blockedNodes.filter(({ isServed }) => isServed).length,
  );
  const isBusy = tally.underWay + tally.leaving + tally.outdated > 0;
  const degraded = report.fault ?? summaryOf(problems, report.nodes);
  const full = problems.filter(({ blocked }) => isCapacity(blocked.reason));
  const exceeded = summaryOf(full, report.nodes);
  const isReady = !degraded && !isBusy;
  const busy = busyWith(report, tally);

  const { ready, progressing, degraded: degradedType, capacityExceeded } = NODE_ENI_CONDITIONS;
  const rows: [type: string, holds: boolean, statement: Explanation][] = [
    [ready, isReady, isReady ? readyWith(tally) : (degraded ?? busy)],
    [
      progressing,
      isBusy,
      isBusy
        ? busy
        : { reason: 'Settled', message: 'No ENI is being created, changed or removed.' },
    ],
    [
      degradedType,
      degraded !== undefined,
      degraded ?? { reason: 'AsExpected', message: 'No node is prevented from getting its ENIs.' },
    ],
    [
      capacityExceeded,
      exceeded !== undefined,
      exceeded ?? { reason: 'AsExpected', message: 'Every ENI has a slot and an address.' },
    ],
  ];
  const observedGeneration = nodeENI.metadata.generation ?? 0;
  const adopted = adoptedCondition(
    nodeENI,
    report.attachments,
    unadoptedOf(report),
    report.migration?.fault,
  );
  if (adopted) {
    const { status, reason, message } = adopted;
    rows.push([NODE_ENI_CONDITIONS.adopted, status === 'True', { reason, message }]);
  }
  const standing = rows.reduce<Condition[]>(
    (conditions, [type, holds, { reason, message }]) =>
      setCondition(
        conditions,
        { type, status: holds ? 'True' : 'False', reason, message, observedGeneration },
        now,
      ),
    nodeENI.status?.conditions ?? [],
  );
  const { networkAttachment: type } = NODE_ENI_CONDITIONS;
  const { networkAttachment: found } = report;
  if (found === null) {
    return standing.filter((condition) => condition.type !== type);
  }
  return found ? setCondition(standing, { type, ...found, observedGeneration }, now) : standing;
}

function tallyOf(
  { desired, attachments, outdated = 0 }: NodeENIReport,
  live: readonly ENIAttachment[],
  blocked: number,
): Tally {
  const ready = live.filter(isReady).length;
  return {
    desired,
    ready,
    underWay: Math.max(0, desired - ready - blocked),
    leaving: attachments.length - live.length,
    outdated,
  };
}

function readyWith({ desired }: Tally): Explanation {
  return desired === 0
    ? { reason: 'NoMatchingNodes', message: 'No node matches spec.nodeSelector.' }
    : { reason: 'AllReady', message: `All ${desired} ENIs are ready.` };
}

function busyWith({ nodeENI }: NodeENIReport, tally: Tally): Explanation {
  const { desired, ready, underWay, leaving, outdated } = tally;
  const message = `${ready} of ${desired} ENIs are ready, ${underWay} are in progress, ${leaving} are being removed.`;
  if (nodeENI.metadata.deletionTimestamp) {
    return { reason: 'Deleting', message };
  }
  if (outdated > 0) {
    const waiting = `${outdated} nodes wait to be updated (spec.updatePolicy.maxUnavailable).`;
    return { reason: 'RollingUpdate', message: `${message} ${waiting}` };
  }
  return { reason: leaving > 0 ? 'Removing' : 'Attaching', message };
}

/** Every reason why a node lacks an ENI: no attachment can be created, or the attachment is blocked. */
function problemsOf(report: NodeENIReport, live: readonly ENIAttachment[]): Problem[] {
  const atAttachments = live.flatMap((attachment) => {
    const blocked = blockedOf(attachment);
    return blocked
      ? [{ node: attachment.spec.nodeName, blocked, isServed: isAttached(attachment) }]
      : [];
  });
  return [...report.blockedNodes, ...atAttachments];
}

/** Why an attachment is blocked: its condition `Ready`, if that has a reason that the user has to act on. */
function blockedOf(attachment: ENIAttachment): Explanation | undefined {
  const condition = findCondition(attachment, ENI_ATTACHMENT_CONDITIONS.ready);
  return condition &&
    (Object.hasOwn(REMEDIES, condition.reason) || Object.hasOwn(LINK_REMEDIES, condition.reason))
    ? condition
    : undefined;
}

function isCapacity(reason: string): boolean {
  return CAPACITY_REASONS.some((each) => each === reason);
}

/**
 * Summarizes many problems: the most frequent reason, the first nodes by name, one message for each reason.
 */
function summaryOf(problems: readonly Problem[], nodes: number): Explanation | undefined {
  const byReason = [...Map.groupBy(problems, ({ blocked }) => blocked.reason)].sort(
    ([a, some], [b, others]) => others.length - some.length || (a < b ? -1 : 1),
  );
  const [top] = byReason;
  if (!top) {
    return undefined;
  }
  const messages = byReason.map(([, [first]]) => first?.blocked.message ?? '');
  return {
    reason: top[0],
    message: [...countsOf(problems, nodes), ...messages].join(' '),
  };
}

/** How many nodes lack ENIs, and how many have them, but not as specified. */
function countsOf(problems: readonly Problem[], nodes: number): string[] {
  const lacking = new Set(problems.filter(({ isServed }) => !isServed).map(({ node }) => node));
  const served = new Set(problems.map(({ node }) => node).filter((node) => !lacking.has(node)));
  return [
    ...(lacking.size > 0
      ? [`${lacking.size} of ${nodes} nodes lack ENIs (${named(lacking)}).`]
      : []),
    ...(served.size > 0
      ? [`ENIs of ${served.size} nodes are not as specified (${named(served)}).`]
      : []),
  ];
}

function named(nodes: ReadonlySet<string>): string {
  return firstFew([...nodes].sort(), MAX_NAMED_NODES);
}
