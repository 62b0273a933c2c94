import type { ENIAttachment } from '../../api/eni-attachment.js';
import { DEFAULT_STARTUP_TAINT } from '../../api/names.js';
import type { Node } from '../../api/node.js';
import type { NodeENI } from '../../api/node-eni.js';
import { type Taint, taintName } from '../../api/taints.js';
import type { JsonPatchOperation } from '../../runtime/kube/kube-client.js';
import { isLive, isReady } from '../shared/attachment-state.js';
import { identifyNode, matchesSelector } from '../shared/node-placement.js';

export interface ReadinessInput {
  node: Node;
  /** All that there are. */
  nodeENIs: readonly NodeENI[];
  /** Names of the attachments that a NodeENI wants on the node; undefined where that is not known, or not possible. */
  wanted: (nodeENI: NodeENI) => readonly string[] | undefined;
  attachment: (name: string) => ENIAttachment | undefined;
}

export type ReadinessStep =
  /** No startup taint that is ours to remove. */
  | { do: 'leave' }
  /** A startup taint that nobody will remove: no NodeENI that it is for selects the node. */
  | { do: 'tell'; taints: Taint[] }
  /** Not all ENIs are ready. */
  | { do: 'wait' }
  | { do: 'remove'; taints: Taint[]; nodeENIs: string[] };

/** The taint that the NodeENI's nodes may register with, as `key:Effect`. */
export function startupTaintOf({ spec }: NodeENI): string {
  return spec.startupTaint ?? DEFAULT_STARTUP_TAINT;
}

/** Every taint that may be removed from some node: the default one, and what NodeENIs name. */
export function startupTaints(nodeENIs: readonly NodeENI[]): Set<string> {
  return new Set([DEFAULT_STARTUP_TAINT, ...nodeENIs.map(startupTaintOf)]);
}

/**
 * What is to be done about a node's startup taints. They go together, once every ENI of every NodeENI that
 * selects the node is ready on the node's present instance: a pod that gets in needs all of them.
 */
export function planReadiness({
  node,
  nodeENIs,
  wanted,
  attachment,
}: ReadinessInput): ReadinessStep {
  const taints = taintsAmong(node, startupTaints(nodeENIs));
  if (taints.length === 0 || node.metadata.deletionTimestamp) {
    return { do: 'leave' };
  }
  const selecting = nodeENIs.filter(
    ({ metadata, spec }) =>
      metadata.deletionTimestamp === undefined &&
      matchesSelector(spec.nodeSelector, node.metadata.labels),
  );
  const removable = selecting.length > 0 ? taintsAmong(node, startupTaints(selecting)) : [];
  if (removable.length === 0) {
    return { do: 'tell', taints };
  }
  const identity = identifyNode(node);
  const isServed = (nodeENI: NodeENI) =>
    wanted(nodeENI)?.every((name) => isUsableOn(attachment(name), nodeENI, identity)) ?? false;
  return selecting.every(isServed)
    ? { do: 'remove', taints: removable, nodeENIs: selecting.map(({ metadata }) => metadata.name) }
    : { do: 'wait' };
}

/**
 * The JSON patch that removes the taints by their places, and fails as a whole where another taint has come
 * to such a place, or another Node to the name. What others add meanwhile stays.
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
  // From the back: a removal moves what is behind it.
  return [{ op: 'test', path: '/metadata/uid', value: metadata.uid }, ...removals.reverse().flat()];
}

function taintsAmong({ spec }: Node, names: ReadonlySet<string>): Taint[] {
  return (spec?.taints ?? []).filter((taint) => names.has(taintName(taint)));
}

function isUsableOn(
  attachment: ENIAttachment | undefined,
  nodeENI: NodeENI,
  identity: ReturnType<typeof identifyNode>,
): boolean {
  return (
    attachment !== undefined &&
    'instanceID' in identity &&
    attachment.spec.instanceID === identity.instanceID &&
    attachment.spec.nodeENI === nodeENI.metadata.name &&
    isLive(attachment) &&
    isReady(attachment)
  );
}
