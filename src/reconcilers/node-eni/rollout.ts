import type { NodeENI, UpdatePolicy } from '../../api/node-eni.js';
import type { Blocked } from '../../api/reasons.js';
import { answerOrBlocked, isBlocked } from '../shared/blocked.js';
import type { Replacement } from '../shared/desired-attachment.js';
import type { SlotInspector } from '../slots/slot-inspector.js';
import type { Network } from './network-resolver.js';
import type { NodeENIPlan } from './plan-node-eni.js';

/** Applies if `updatePolicy.maxUnavailable` is not set, as in a DaemonSet. */
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

export interface Rollout {
  nodeENI: NodeENI;
  plan: NodeENIPlan;
  network: Network | Blocked;
  /** How many nodes match. */
  nodes: number;
}

/**
 * Adds to the plan the stale attachments of the nodes to replace now, and the faults of the nodes whose
 * replacement could not succeed. Returns how many nodes keep stale attachments.
 * @throws Ec2Error if a retry may help
 */
export async function selectReplacements(
  slots: Pick<SlotInspector, 'replacementFault'>,
  { nodeENI, plan, network, nodes }: Rollout,
): Promise<number> {
  if (plan.replace.length === 0 || isBlocked(network)) {
    return 0;
  }
  const subnets = network.subnets.flatMap((choice) => choice.subnets);
  const checked = await Promise.all(
    plan.replace.map(async (replacement) => ({
      replacement,
      fault: await answerOrBlocked(slots.replacementFault(replacement, subnets)),
    })),
  );
  const able = checked.filter(({ fault }) => !fault).map(({ replacement }) => replacement);
  plan.blocked.push(
    ...checked.flatMap(({ replacement: { node, unavailable }, fault }) =>
      fault ? [{ node, blocked: fault, isServed: !unavailable }] : [],
    ),
  );
  const selected = selectForRollout(able, {
    unavailable: plan.unavailable,
    maxUnavailable: maxUnavailableNodes(nodeENI.spec.updatePolicy, nodes),
  });
  plan.delete.push(...selected.flatMap(({ stale }) => stale));
  return plan.replace.length - selected.length;
}
