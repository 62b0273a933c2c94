/** Nothing tells which Region to call, and a guess would manage the wrong one. */
export class RegionUnknownError extends Error {
  override name = 'RegionUnknownError';
}

export interface RegionSources {
  /** What the configuration says, e.g. `AWS_REGION`. */
  configured?: string | undefined;
  /** The instance metadata service's word; undefined where there is none. */
  metadata: () => Promise<string | undefined>;
  /** The values of the nodes' label `topology.kubernetes.io/region`. */
  nodeRegions: () => Promise<string[]>;
}

/**
 * The AWS Region: as configured, else the machine's own, else the one that all nodes are in.
 * @throws {@link RegionUnknownError} where none of them tells, or the nodes disagree.
 */
export async function resolveRegion(sources: RegionSources): Promise<string> {
  if (sources.configured) return sources.configured;
  const ownRegion = await sources.metadata();
  if (ownRegion) return ownRegion;
  const [nodeRegion, ...others] = new Set((await sources.nodeRegions()).filter(Boolean));
  if (nodeRegion && others.length === 0) return nodeRegion;
  const nodes = nodeRegion
    ? `the nodes are in several Regions (${[nodeRegion, ...others].sort().join(', ')})`
    : 'no node has the label topology.kubernetes.io/region';
  throw new RegionUnknownError(
    `The AWS Region is unknown: AWS_REGION is not set, the instance metadata service does not tell, and ${nodes}. Set AWS_REGION.`,
  );
}
