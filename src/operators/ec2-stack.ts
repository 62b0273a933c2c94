import type { Registry } from 'prom-client';
import { ElasticIpCatalog } from '../aws/catalog/elastic-ip-catalog.js';
import { InstanceCatalog } from '../aws/catalog/instance-catalog.js';
import { InstanceTypeCatalog } from '../aws/catalog/instance-type-catalog.js';
import { NetworkCatalog } from '../aws/catalog/network-catalog.js';
import type { Ec2Gateway } from '../aws/ec2-gateway.js';
import { EniInventory } from '../aws/inventory/eni-inventory.js';
import { RequestBudget } from '../aws/request-budget.js';
import { createEc2Client } from '../aws/sdk/sdk-client.js';
import { SdkEc2Gateway } from '../aws/sdk/sdk-ec2-gateway.js';
import type { Config } from '../config/controller-settings.js';
import type { Clock } from '../runtime/clock.js';
import type { LeaderElector } from '../runtime/leader-election/leader-election.js';
import type { Logger } from '../runtime/logger.js';
import { Ec2Metrics } from './metrics/ec2-metrics.js';
import { registerInventoryMetrics } from './metrics/inventory-metrics.js';

export interface Ec2StackOptions {
  region: string;
  clusterID: string;
  config: Config;
  clock: Clock;
  logger: Logger;
  /** Writes are sent only while it is the leader; undefined: always. */
  elector: LeaderElector | undefined;
  registry: Registry;
  /** Called when listing ENIs starts failing, fails differently, or recovers (undefined). */
  onListing: (failure: unknown) => void;
}

/** Everything through which the controller reads and writes EC2. */
export interface Ec2Stack {
  clusterID: string;
  gateway: Ec2Gateway;
  inventory: EniInventory;
  instances: InstanceCatalog;
  instanceTypes: InstanceTypeCatalog;
  network: NetworkCatalog;
  elasticIps: ElasticIpCatalog;
}

/** A few ENIs are observed as soon as they may be ready; a trickle of many is observed once per interval. */
const OBSERVATION_BURST = 3;

export function createEc2Stack(options: Ec2StackOptions): Ec2Stack {
  const { region, clusterID, config, clock, logger, elector, registry, onListing } = options;
  const budget = RequestBudget.create({ clock, share: config.budgetShare });
  const metrics = Ec2Metrics.create({ registry, budget });
  const gateway = SdkEc2Gateway.create({
    client: createEc2Client({
      region,
      ...(elector ? { mayWrite: () => elector.isLeader } : {}),
    }),
    budget,
    logger,
    onCall: (call) => metrics.called(call),
    ...(elector ? { signal: elector.lost } : {}),
  });
  const inventory = EniInventory.create({
    gateway,
    clusterId: clusterID,
    clock,
    logger,
    resyncMs: config.resyncPeriod,
    observeBurst: OBSERVATION_BURST,
    observeIntervalMs: config.observeInterval,
    consistencyWindowMs: config.consistencyWindow,
    onListing,
  });
  registerInventoryMetrics({ registry, inventory });
  return {
    clusterID,
    gateway,
    inventory,
    instances: InstanceCatalog.create({ gateway, clock }),
    instanceTypes: InstanceTypeCatalog.create({ gateway, clock }),
    elasticIps: ElasticIpCatalog.create({ gateway, clock }),
    network: NetworkCatalog.create({ gateway, clock, ttlMs: config.lookupTTL }),
  };
}
