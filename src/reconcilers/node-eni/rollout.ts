import type { UpdatePolicy } from '../../api/node-eni.js';
import type { Replacement } from '../shared/desired-attachment.js';

/** Applies where `updatePolicy.maxUnavailable` is not set, as in a DaemonSet. */
const DEFAULT_MAX_UNAVAILABLE = 1;

/**
 * How many nodes may be without their ENIs at a time: a number, or a percentage of the matching nodes. A
 * percentage is rounded up, as a DaemonSet's is, so that a rollout never stops.
 */
export function maxUnavailableNodes(policy: UpdatePolicy | undefined, nodes: number): number {
  const setting = policy?.maxUnavailable ?? DEFAULT_MAX_UNAVAILABLE;
  return typeof setting === 'number'
    ? setting
    : Math.max(1, Math.ceil((Number.parseInt(setting, 10) / 100) * nodes));
}

/**
 * The nodes to replace now: all that already lack ENIs, then, by name, as many others as `maxUnavailable`
 * leaves room for. Pass only candidates whose replacement can succeed.
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
