import { MetadataService } from '@aws-sdk/ec2-metadata-service';

/** Off EC2 nothing answers; on EC2 the answer takes about a millisecond. */
const TIMEOUT_MS = 1_000;

export interface InstanceMetadataOptions {
  /** Honoured: `AWS_EC2_METADATA_DISABLED`, `AWS_EC2_METADATA_SERVICE_ENDPOINT`. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Default 1,000 milliseconds. */
  timeoutMs?: number;
}

/**
 * The Region of the machine that this runs on, by IMDSv2. Undefined where no metadata service answers: off
 * EC2, from a pod beyond the hop limit, or where it is disabled.
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
