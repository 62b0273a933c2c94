import { ENI_ATTACHMENT_CONDITIONS, NODE_CONDITIONS } from '../../api/conditions.js';
import type { ENIAttachment } from '../../api/eni-attachment.js';
import type { Node } from '../../api/node.js';
import type { NodeENI } from '../../api/node-eni.js';
import {
  type Explanation,
  findCondition,
  type StatedCondition,
} from '../../runtime/kube/conditions.js';
import { firstFew } from '../../runtime/message-text.js';
import { printable } from '../../runtime/printable-text.js';
import type { BlockedOnNode } from '../node-eni/planned-attachments.js';
import { isThere, selectingNodeENIs } from '../node-readiness/plan-readiness.js';
import { isBlocked } from '../shared/blocked.js';
import { identifyNode } from '../shared/node-placement.js';

export interface NodeConditionInput {
  node: Node;
  /** All NodeENIs in the cluster. */
  nodeENIs: readonly NodeENI[];
  /** Names of the attachments that a NodeENI plans for the node; undefined if unknown or blocked. */
  planned: (nodeENI: NodeENI) => readonly string[] | undefined;
  /** Why a NodeENI does not give the node what it specifies. */
  blockedOn: (nodeENI: NodeENI) => BlockedOnNode | undefined;
  attachment: (name: string) => ENIAttachment | undefined;
  /** The attachments of all NodeENIs on an instance, planned or not. */
  attachmentsOn: (instanceID: string) => readonly ENIAttachment[];
}

export type NodeConditionStep =
  /** The condition is correct, or what would change it is unknown. */
  | { do: 'leave' }
  /** No NodeENI selects the node any longer. */
  | { do: 'remove' }
  /** `later`: only if nothing changes for a while. */
  | { do: 'write'; condition: StatedCondition; later: boolean };

/** A NodeENI's progress on a node. */
type Progress =
  | { is: 'ready' }
  | { is: 'waiting' }
  | { is: 'blocked'; by: Explanation }
  /** No plan has been carried out: the controller or the NodeENI is new, or an ENI is about to be replaced. */
  | { is: 'undecided' };

/** NodeENIs that a message names. */
const MAX_NAMED = 5;
/** Characters of a message. */
const MAX_MESSAGE = 1_024;

/**
 * Decides the content of the node's condition `networking.k8s.aws/ENIsReady`. It is True while the node has
 * usable ENIs of all NodeENIs that select it, even if one of them is blocked and the node keeps its current
 * ENIs. Missing knowledge never changes an existing condition: a new controller, or an EC2 that does not
 * respond, makes no node unready.
 */
export function planNodeCondition(input: NodeConditionInput): NodeConditionStep {
  const { node, nodeENIs } = input;
  const present = findCondition(node, NODE_CONDITIONS.enisReady);
  if (node.metadata.deletionTimestamp) {
    return { do: 'leave' };
  }
  const selecting = selectingNodeENIs(node, nodeENIs);
  if (selecting.length === 0) {
    return present ? { do: 'remove' } : { do: 'leave' };
  }
  const condition = conditionOf(
    selecting.map((nodeENI) => ({ nodeENI, ...progressOf(nodeENI, input) })),
  );
  const isSame =
    present?.status === condition.status &&
    present.reason === condition.reason &&
    present.message === condition.message;
  if (isSame || (present && condition.status === 'Unknown')) {
    return { do: 'leave' };
  }
  // A change in place takes a moment, and so does planning.
  const isMomentary = condition.status === 'Unknown' || condition.reason === 'InProgress';
  const later =
    isMomentary &&
    (present === undefined ? condition.status === 'Unknown' : present.status === 'True');
  return { do: 'write', condition, later };
}

function progressOf(nodeENI: NodeENI, input: NodeConditionInput): Progress {
  const { node, planned, blockedOn, attachment, attachmentsOn } = input;
  const identity = identifyNode(node);
  const isUsable = (each: ENIAttachment | undefined): boolean =>
    isThere(each, nodeENI, identity) && each.status?.phase === 'Ready';
  const names = planned(nodeENI);
  if (names) {
    const there = names.map(attachment);
    const fault = there.map(faultOf).find((each) => each !== undefined);
    if (there.every(isUsable)) return { is: 'ready' };
    return fault ? { is: 'blocked', by: fault } : { is: 'waiting' };
  }
  const by = blockedOn(nodeENI);
  if (!by) return { is: 'undecided' };
  const own = isBlocked(identity)
    ? []
    : attachmentsOn(identity.instanceID).filter(
        ({ spec }) => spec.nodeENI === nodeENI.metadata.name,
      );
  const keepsAll = by.isServed && own.length > 0 && own.every(isUsable);
  return keepsAll ? { is: 'ready' } : { is: 'blocked', by: by.blocked };
}

/** Why the attachment has failed. */
function faultOf(attachment: ENIAttachment | undefined): Explanation | undefined {
  if (attachment?.status?.phase !== 'Failed') return undefined;
  const { reason, message } = findCondition(attachment, ENI_ATTACHMENT_CONDITIONS.ready) ?? {
    reason: 'Failed',
    message: `ENIAttachment ${attachment.metadata.name} has failed.`,
  };
  return { reason, message };
}

function conditionOf(all: readonly (Progress & { nodeENI: NodeENI })[]): StatedCondition {
  const type = NODE_CONDITIONS.enisReady;
  const named = (is: Progress['is']): string =>
    namesOf(all.filter((each) => each.is === is).map(({ nodeENI }) => nodeENI.metadata.name));
  for (const each of all) {
    if (each.is === 'blocked') {
      const message = printable(`${each.nodeENI.metadata.name}: ${each.by.message}`, MAX_MESSAGE);
      return { type, status: 'False', reason: each.by.reason, message };
    }
  }
  if (named('waiting')) {
    const message = `Waiting for the ENIs of ${named('waiting')}.`;
    return { type, status: 'False', reason: 'InProgress', message };
  }
  if (named('undecided')) {
    const message = `The controller has not planned the ENIs of ${named('undecided')} yet.`;
    return { type, status: 'Unknown', reason: 'NotPlanned', message };
  }
  return {
    type,
    status: 'True',
    reason: 'AllReady',
    message: `The ENIs of ${named('ready')} are ready.`,
  };
}

function namesOf(names: readonly string[]): string {
  return firstFew([...names].sort(), MAX_NAMED);
}
