import type { ENIAttachment } from '../../api/eni-attachment.js';
import { DEFAULT_STARTUP_TAINT } from '../../api/names.js';
import { type Node, type Taint, taintName } from '../../api/node.js';
import type { NodeENI } from '../../api/node-eni.js';
import type { JsonPatchOperation } from '../../runtime/kube/kube-client.js';
import { isLive, isReady } from '../shared/attachment-state.js';
import { isBlocked } from '../shared/blocked.js';
import { identifyNode, matchesSelector } from '../shared/node-placement.js';
import { partition } from '../shared/partition.js';

export interface ReadinessInput {
  node: Node;
  /** All NodeENIs in the cluster. */
  nodeENIs: readonly NodeENI[];
  /** Names of the attachments that a NodeENI plans for the node; undefined where unknown or blocked. */
  planned: (nodeENI: NodeENI) => readonly string[] | undefined;
  attachment: (name: string) => ENIAttachment | undefined;
  /** Whether the NodeENI has been blocked on the node for so long that the others need not wait for it. */
  overdue?: (nodeENI: NodeENI) => boolean;
}

export type ReadinessStep =
  /** The node has no startup taint, or is being deleted. */
  | { do: 'leave' }
  /** The node has a startup taint, but no NodeENI with that taint selects it. */
  | { do: 'report'; taints: Taint[] }
  /** Not all ENIs are ready yet. `blocked`: the NodeENIs that cannot give the node its ENIs. */
  | { do: 'wait'; blocked: NodeENI[] }
  /** `leftOut`: blocked NodeENIs that the node no longer waits for. */
  | { do: 'remove'; taints: Taint[]; nodeENIs: string[]; leftOut: string[] };

/** The NodeENI's startup taint, with which its nodes may register, as `key:Effect`. */
export function startupTaintOf({ spec }: NodeENI): string {
  return spec.startupTaint ?? DEFAULT_STARTUP_TAINT;
}

/** Every taint that this operator may remove: the default one, and those that NodeENIs name. */
export function startupTaints(nodeENIs: readonly NodeENI[]): Set<string> {
  return new Set([DEFAULT_STARTUP_TAINT, ...nodeENIs.map(startupTaintOf)]);
}

/**
 * Decides about a node's startup taints. They are removed together, once every ENI of every NodeENI that
 * selects the node is ready on the node's current instance: a pod that starts there may need all of them. An
 * overdue NodeENI no longer delays the others whose ENIs are ready; a node without any ready ENI keeps its
 * taint.
 */
export function planReadiness({
  node,
  nodeENIs,
  planned,
  attachment,
  overdue = () => false,
}: ReadinessInput): ReadinessStep {
  const taints = taintsAmong(node, startupTaints(nodeENIs));
  if (taints.length === 0 || node.metadata.deletionTimestamp) {
    return { do: 'leave' };
  }
  const selecting = selectingNodeENIs(node, nodeENIs);
  const removable = selecting.length > 0 ? taintsAmong(node, startupTaints(selecting)) : [];
  if (removable.length === 0) {
    return { do: 'report', taints };
  }
  const identity = identifyNode(node);
  const isServed = (nodeENI: NodeENI) =>
    planned(nodeENI)?.every((name) => isUsableOn(attachment(name), nodeENI, identity)) ?? false;
  const [served, unserved] = partition(selecting, isServed);
  const blocked = unserved.filter((nodeENI) =>
    isBlockedBy(planned(nodeENI)?.map((name) => attachment(name))),
  );
  const isHeld = unserved.some((nodeENI) => !blocked.includes(nodeENI) || !overdue(nodeENI));
  return isHeld || served.length === 0
    ? { do: 'wait', blocked }
    : { do: 'remove', taints: removable, nodeENIs: namesOf(served), leftOut: namesOf(unserved) };
}

/**
 * The JSON patch that removes the taints by their positions. It fails as a whole where a position now holds
 * another taint, or the name now belongs to another Node. Taints that others add meanwhile stay.
 */
export function taintRemoval(
  { metadata, spec }: Node,
  taints: readonly Taint[],
): JsonPatchOperation[] {
  const names = new Set(taints.map(taintName));
  const removals = (spec?.taints ?? []).flatMap((taint, index): JsonPatchOperation[][] => {
    const path = `/spec/taints/${index}`;
    return names.has(taintName(taint))
      ? [
          [
            { op: 'test', path: `${path}/key`, value: taint.key },
            { op: 'test', path: `${path}/effect`, value: taint.effect },
            { op: 'remove', path },
          ],
        ]
      : [];
  });
  // From the back, because a removal shifts the positions after it.
  return [{ op: 'test', path: '/metadata/uid', value: metadata.uid }, ...removals.reverse().flat()];
}

function taintsAmong({ spec }: Node, names: ReadonlySet<string>): Taint[] {
  return (spec?.taints ?? []).filter((taint) => names.has(taintName(taint)));
}

/** @param attachments those planned for the node; undefined where the NodeENI or the node is blocked */
function isBlockedBy(attachments: readonly (ENIAttachment | undefined)[] | undefined): boolean {
  return attachments?.some((attachment) => attachment?.status?.phase === 'Failed') ?? true;
}

function namesOf(nodeENIs: readonly NodeENI[]): string[] {
  return nodeENIs.map(({ metadata }) => metadata.name);
}

function isUsableOn(
  attachment: ENIAttachment | undefined,
  nodeENI: NodeENI,
  identity: ReturnType<typeof identifyNode>,
): boolean {
  return isThere(attachment, nodeENI, identity) && isReady(attachment);
}

/** The NodeENIs whose ENIs the node should have. */
export function selectingNodeENIs(node: Node, nodeENIs: readonly NodeENI[]): NodeENI[] {
  return nodeENIs.filter(
    ({ metadata, spec }) =>
      metadata.deletionTimestamp === undefined &&
      matchesSelector(spec.nodeSelector, node.metadata.labels),
  );
}

/** Whether the attachment is the NodeENI's, stays, and is on the node's current instance. */
export function isThere(
  attachment: ENIAttachment | undefined,
  nodeENI: NodeENI,
  identity: ReturnType<typeof identifyNode>,
): attachment is ENIAttachment {
  return (
    attachment !== undefined &&
    !isBlocked(identity) &&
    attachment.spec.instanceID === identity.instanceID &&
    attachment.spec.nodeENI === nodeENI.metadata.name &&
    isLive(attachment)
  );
}
