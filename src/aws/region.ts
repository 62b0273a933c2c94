import { MetadataService } from '@aws-sdk/ec2-metadata-service';

/** No source names the Region. A guess could manage the wrong one. */
export class RegionUnknownError extends Error {
  override name = 'RegionUnknownError';
}

export interface RegionSources {
  /** From the configuration, e.g. `AWS_REGION`. */
  configured?: string | undefined;
  /** From the instance metadata service; undefined if it is not available. */
  metadata: () => Promise<string | undefined>;
  /** The values of the nodes' label `topology.kubernetes.io/region`. */
  nodeRegions: () => Promise<string[]>;
}

/**
 * The AWS Region: the configured one, else the machine's own, else the one that all nodes share.
 * @throws {@link RegionUnknownError} if no source names it, or the nodes are in several Regions.
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
    `The AWS Region is unknown: AWS_REGION is not set, the instance metadata service is not available, and ${nodes}. Set AWS_REGION.`,
  );
}

/** Outside EC2 nothing answers; on EC2 the answer takes about a millisecond. */
const TIMEOUT_MS = 1_000;

export interface InstanceMetadataOptions {
  /** Honoured: `AWS_EC2_METADATA_DISABLED`, `AWS_EC2_METADATA_SERVICE_ENDPOINT`. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Default 1,000 milliseconds. */
  timeoutMs?: number;
}

/**
 * The Region of the machine that this runs on, by IMDSv2. Undefined if no metadata service answers: outside EC2, from a
 * pod beyond the hop limit, or if it is disabled.
 */
export async function metadataRegion(
  options: InstanceMetadataOptions = {},
): Promise<string | undefined> {
  const { env = process.env, timeoutMs = TIMEOUT_MS } = options;
  if (env.AWS_EC2_METADATA_DISABLED?.toLowerCase() === 'true') return undefined;
  const endpoint = env.AWS_EC2_METADATA_SERVICE_ENDPOINT;
  const service = new MetadataService({
    ...(endpoint ? { endpoint } : {}),
    httpOptions: { timeout: timeoutMs },
    ec2MetadataV1Disabled: true,
    retries: 0,
  });
  try {
    // Without a slash in front: the SDK puts one between the endpoint and the path.
    const region = await service.request('latest/meta-data/placement/region', {});
    return region.trim() || undefined;
  } catch {
    return undefined;
  }
}
