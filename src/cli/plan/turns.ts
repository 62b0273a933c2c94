import { selectForRollout } from '../../reconcilers/node-eni/rollout.js';
import type { Replacement } from '../../reconcilers/shared/desired-attachment.js';

export interface TurnsOptions {
  /** Nodes whose ENIs are replaced at once. */
  first: readonly string[];
  maxUnavailable: number;
}

/**
 * In which turn each node's ENIs are replaced, by node: the controller replaces the next ones when those before are
 * attached again.
 */
export function turnsOf(
  candidates: readonly Replacement[],
  { first, maxUnavailable }: TurnsOptions,
): Map<string, number> {
  const turns = new Map(first.map((node) => [node, 1]));
  let left = candidates.filter(({ node }) => !turns.has(node));
  for (let turn = 2; left.length > 0; turn += 1) {
    const selected = selectForRollout(left, { unavailable: 0, maxUnavailable });
    // No room at all is no plan: maxUnavailable is at least 1.
    for (const { node } of selected) turns.set(node, turn);
    if (selected.length === 0) break;
    left = left.filter((each) => !selected.includes(each));
  }
  return turns;
}
