import { LABELS } from '../../api/names.js';
import type { Node } from '../../api/node.js';
import { InstanceCatalog } from '../../aws/catalog/instance-catalog.js';
import { InstanceTypeCatalog } from '../../aws/catalog/instance-type-catalog.js';
import { NetworkCatalog } from '../../aws/catalog/network-catalog.js';
import type { Ec2Gateway } from '../../aws/ec2-gateway.js';
import { resolveRegion } from '../../aws/region.js';
import { RequestBudget } from '../../aws/request-budget.js';
import {
  type DryRunResult,
  type DryRunSubject,
  dryRunTags,
  dryRunWrites,
} from '../../aws/sdk/dry-runs.js';
import { createEc2Client } from '../../aws/sdk/sdk-client.js';
import { SdkEc2Gateway } from '../../aws/sdk/sdk-ec2-gateway.js';
import type { Session } from '../shared/cli.js';
import { silent } from '../shared/silent-logger.js';
import type { AwsFlags } from './aws-flags.js';
import { type ControllerSettings, readControllerSettings } from './controller-settings.js';

/** The share of EC2's request rates that a command may use: the controller uses the same rates. */
const BUDGET_SHARE = 0.2;

/** EC2 as the controller sees it, with the caller's own credentials. */
export interface Ec2Session {
  region: string;
  /** Identity of the cluster in the tags of its ENIs. */
  clusterID: string;
  settings: ControllerSettings;
  gateway: Ec2Gateway;
  instances: InstanceCatalog;
  instanceTypes: InstanceTypeCatalog;
  network: NetworkCatalog;
  /** Dry runs of writes. */
  dryRun(subject: DryRunSubject): Promise<DryRunResult[]>;
  /** A dry run of setting the tags on the ENI. */
  dryRunTags(
    eniId: string,
    tags: Readonly<Record<string, string>>,
  ): Promise<Omit<DryRunResult, 'action'>>;
  close(): void;
}

/**
 * Connects to EC2 in the cluster's Region.
 * @throws RegionUnknownError; KubeApiError; UsageError for settings of the controller that are not valid
 */
export async function openEc2(
  { cluster, io }: Session,
  { region, endpointUrl: endpoint, clusterId }: AwsFlags,
  nodes: readonly Node[],
): Promise<Ec2Session> {
  const settings = await readControllerSettings(cluster);
  const resolved = await resolveRegion({
    configured: region || io.env.AWS_REGION || settings.config.region,
    // The machine that the command runs on need not be in the cluster's Region.
    metadata: async () => undefined,
    nodeRegions: async () =>
      nodes.flatMap(({ metadata }) => metadata.labels?.[LABELS.region] ?? []),
  });
  const { clock } = io;
  const client = createEc2Client({ region: resolved, ...(endpoint ? { endpoint } : {}) });
  const budget = RequestBudget.create({ clock, share: BUDGET_SHARE });
  const gateway = SdkEc2Gateway.create({
    client,
    budget,
    logger: silent,
    signal: io.signal,
  });
  return {
    region: resolved,
    clusterID: clusterId ?? settings.config.clusterID ?? (await cluster.uid()),
    settings,
    gateway,
    instances: InstanceCatalog.create({ gateway, clock }),
    instanceTypes: InstanceTypeCatalog.create({ gateway, clock }),
    network: NetworkCatalog.create({ gateway, clock }),
    dryRun: (subject) => dryRunWrites({ client, budget }, subject),
    dryRunTags: (eniId, tags) => dryRunTags({ client, budget }, eniId, tags),
    close: () => client.destroy(),
  };
}
