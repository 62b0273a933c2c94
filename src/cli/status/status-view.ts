import { NODE_ENI_CONDITIONS } from '../../api/conditions.js';
import type { ENIAttachment } from '../../api/eni-attachment.js';
import { LINK_REMEDIES } from '../../api/link-faults.js';
import type { NodeENI } from '../../api/node-eni.js';
import { REMEDIES } from '../../api/reasons.js';
import { isAttached, isLive, isReady } from '../../reconcilers/shared/attachment-state.js';
import { type Condition, findCondition } from '../../runtime/kube/conditions.js';

/** One NodeENI with its progress. */
export interface NodeENIView {
  name: string;
  nodes: number;
  desired: number;
  attached: number;
  ready: number;
  /** ENIs that are being removed. */
  leaving: number;
  state: 'Ready' | 'Progressing' | 'Degraded' | 'Deleting' | 'NotReconciled';
  reason?: string;
  message?: string;
}

/** An ENI that is not ready, or is being removed. */
export interface WaitingView {
  nodeENI: string;
  node: string;
  attachment: string;
  eniID?: string;
  phase: string;
  /** Milliseconds since its phase was last written. */
  forMs?: number;
  /** Whether the user has to act; otherwise EC2 or the agent is working on it. */
  isProblem: boolean;
  reason?: string;
  message?: string;
}

export interface StatusView {
  nodeENIs: NodeENIView[];
  waiting: WaitingView[];
}

export interface StatusInput {
  nodeENIs: readonly NodeENI[];
  attachments: readonly ENIAttachment[];
  /** Only this NodeENI. */
  nodeENI?: string | undefined;
  /** Only the ENIs of this node. */
  node?: string | undefined;
  /** Milliseconds since the epoch. */
  now: number;
}

/** The contents of the screen: NodeENIs with problems first, and ENIs with problems first. */
export function statusView({ nodeENI, node, now, ...input }: StatusInput): StatusView {
  const attachments = input.attachments.filter(
    ({ spec }) =>
      (nodeENI === undefined || spec.nodeENI === nodeENI) &&
      (node === undefined || spec.nodeName === node),
  );
  const nodeENIs = input.nodeENIs
    .filter(({ metadata }) => nodeENI === undefined || metadata.name === nodeENI)
    .map((each) => nodeENIView(each, attachments, node))
    .filter(({ desired, leaving, attached }) => node === undefined || desired + leaving + attached)
    .sort((a, b) => RANKS[a.state] - RANKS[b.state] || (a.name < b.name ? -1 : 1));
  return {
    nodeENIs,
    waiting: attachments
      .filter((each) => !isLive(each) || !isReady(each))
      .map((each) => waitingView(each, now))
      .sort((a, b) => Number(b.isProblem) - Number(a.isProblem) || (b.forMs ?? 0) - (a.forMs ?? 0)),
  };
}

const RANKS: Record<NodeENIView['state'], number> = {
  Degraded: 0,
  NotReconciled: 1,
  Deleting: 2,
  Progressing: 3,
  Ready: 4,
};

function isProblem(phase: string, reason: string | undefined): boolean {
  return (
    phase === 'Failed' ||
    (reason !== undefined &&
      (Object.hasOwn(REMEDIES, reason) || Object.hasOwn(LINK_REMEDIES, reason)))
  );
}

function nodeENIView(
  nodeENI: NodeENI,
  attachments: readonly ENIAttachment[],
  node: string | undefined,
): NodeENIView {
  const { metadata, status = {} } = nodeENI;
  const own = attachments.filter(({ spec }) => spec.nodeENI === metadata.name);
  const live = own.filter(isLive);
  const counts =
    node === undefined
      ? {
          nodes: status.nodes ?? 0,
          desired: status.desired ?? 0,
          attached: status.attached ?? 0,
          ready: status.ready ?? 0,
        }
      : {
          nodes: live.length > 0 ? 1 : 0,
          desired: live.length,
          attached: live.filter(isAttached).length,
          ready: live.filter(isReady).length,
        };
  return {
    name: metadata.name,
    ...counts,
    leaving: own.length - live.length,
    ...stateOf(nodeENI),
  };
}

function stateOf(nodeENI: NodeENI): Pick<NodeENIView, 'state' | 'reason' | 'message'> {
  const { metadata, status } = nodeENI;
  const { ready, progressing, degraded } = NODE_ENI_CONDITIONS;
  const holds = (type: string): Condition | undefined => {
    const condition = findCondition(nodeENI, type);
    return condition?.status === 'True' ? condition : undefined;
  };
  const problem = holds(degraded);
  if (problem) return explained('Degraded', problem);
  if (metadata.deletionTimestamp) return explained('Deleting', holds(progressing));
  if (status?.observedGeneration !== metadata.generation) {
    return {
      state: 'NotReconciled',
      message: 'The controller has not processed this version yet. Is it running?',
    };
  }
  const busy = holds(progressing);
  return busy ? explained('Progressing', busy) : explained('Ready', holds(ready));
}

function explained(
  state: NodeENIView['state'],
  condition: Condition | undefined,
): Pick<NodeENIView, 'state' | 'reason' | 'message'> {
  return condition ? { state, reason: condition.reason, message: condition.message } : { state };
}

function waitingView(attachment: ENIAttachment, now: number): WaitingView {
  const { metadata, spec, status = {} } = attachment;
  const condition = findCondition(attachment, 'Ready');
  const since = Date.parse(status.lastUpdated ?? metadata.creationTimestamp ?? '');
  const why = condition?.status === 'False' ? condition : undefined;
  return {
    nodeENI: spec.nodeENI,
    node: spec.nodeName,
    attachment: metadata.name,
    ...(status.eniID === undefined ? {} : { eniID: status.eniID }),
    phase: status.phase ?? 'Pending',
    ...(Number.isNaN(since) ? {} : { forMs: Math.max(0, now - since) }),
    isProblem: isProblem(status.phase ?? 'Pending', why?.reason),
    ...(why ? { reason: why.reason, message: why.message } : {}),
  };
}
