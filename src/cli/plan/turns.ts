import { selectForRollout } from '../../reconcilers/node-eni/rollout.js';
import type { Replacement } from '../../reconcilers/shared/desired-attachment.js';

export interface TurnsOptions {
  /** Nodes whose ENIs are replaced immediately. */
  first: readonly string[];
  maxUnavailable: number;
}

/**
 * The turn in which each node's ENIs are replaced, by node: the controller continues when the previous ones
 * are attached again.
 */
export function turnsOf(
  candidates: readonly Replacement[],
  { first, maxUnavailable }: TurnsOptions,
): Map<string, number> {
  const turns = new Map(first.map((node) => [node, 1]));
  let left = candidates.filter(({ node }) => !turns.has(node));
  for (let turn = 2; left.length > 0; turn += 1) {
    const selected = selectForRollout(left, { unavailable: 0, maxUnavailable });
    // maxUnavailable is at least 1, so there is always room.
    for (const { node } of selected) turns.set(node, turn);
    if (selected.length === 0) break;
    left = left.filter((each) => !selected.includes(each));
  }
  return turns;
}
