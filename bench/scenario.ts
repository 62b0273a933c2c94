import { InvalidArgumentError } from 'commander';

/** N nodes and M NodeENIs that select them all: N × M ENIs, M on each node. */
export interface Scenario {
  /** `50x2` */
  name: string;
  nodes: number;
  nodeENIs: number;
  enis: number;
  /** Type of all instances. */
  instanceType: string;
}

/** ENIs that an instance takes besides its first. */
const ROOM = [
  { instanceType: 'm5.4xlarge', enis: 7 },
  { instanceType: 'm5.24xlarge', enis: 14 },
] as const;

/** EC2's default quota of ENIs in a Region; a node's first ENI counts. */
const ENI_QUOTA = 5_000;

/**
 * Reads `50x2`.
 * @param options.eniQuota how many ENIs the Region takes; default: EC2's 5,000
 * @throws InvalidArgumentError for any other form, and for more ENIs than a node or a Region takes
 */
export function parseScenario(
  text: string,
  { eniQuota = ENI_QUOTA }: { eniQuota?: number } = {},
): Scenario {
  const [, nodes = 0, nodeENIs = 0] = (/^(\d+)[x×](\d+)$/.exec(text) ?? []).map(Number);
  if (nodes < 2 || nodeENIs < 1) {
    throw new InvalidArgumentError(`${text} is not NODESxNODEENIS, such as 50x2, of 2x1 or more.`);
  }
  const room = ROOM.find(({ enis }) => nodeENIs <= enis);
  if (!room) {
    throw new InvalidArgumentError(`${text}: no instance here takes ${nodeENIs} more ENIs.`);
  }
  if (nodes * (nodeENIs + 1) > eniQuota) {
    throw new InvalidArgumentError(`${text} is more than a Region's ${eniQuota} ENIs.`);
  }
  return {
    name: `${nodes}x${nodeENIs}`,
    nodes,
    nodeENIs,
    enis: nodes * nodeENIs,
    instanceType: room.instanceType,
  };
}
