import type { UpdatePolicy } from '../../api/node-eni.js';
import type { Replacement } from '../shared/desired-attachment.js';

/** Nodes at a time, where a NodeENI does not say. */
const DEFAULT_MAX_UNAVAILABLE = 1;

/**
 * How many nodes may be without their ENIs at a time: a number, or a percentage of the matching nodes,
 * rounded up, so that a rollout always goes on (as a DaemonSet's does).
 */
export function maxUnavailableNodes(policy: UpdatePolicy | undefined, nodes: number): number {
  const asked = policy?.maxUnavailable ?? DEFAULT_MAX_UNAVAILABLE;
  return typeof asked === 'number'
    ? asked
    : Math.max(1, Math.ceil((Number.parseInt(asked, 10) / 100) * nodes));
}

/**
 * The nodes whose turn it is: those that lack ENIs anyhow, then as many others as `maxUnavailable` leaves
 * room for, by name. A node that cannot succeed takes no turn.
 */
export function selectForRollout(
  candidates: readonly Replacement[],
  { unavailable, maxUnavailable }: { unavailable: number; maxUnavailable: number },
): Replacement[] {
  let room = maxUnavailable - unavailable;
  return [...candidates]
    .sort((a, b) => (a.node < b.node ? -1 : 1))
    .filter((candidate) => candidate.unavailable || room-- > 0);
}
