import type { Registry } from 'prom-client';
import { FairLimit } from '../aws/fair-limit.js';
import type { Config } from '../config/settings.js';
import { AttachmentProvider } from '../reconcilers/attachment-provider.js';
import { AttachmentRemover } from '../reconcilers/attachment-remover.js';
import { AttachmentReporter } from '../reconcilers/attachment-reporter.js';
import { BlockedRetries } from '../reconcilers/blocked-retries.js';
import type { CreateLog } from '../reconcilers/create-log.js';
import { DefinitionWriter } from '../reconcilers/definition-writer.js';
import type { Demand } from '../reconcilers/demand.js';
import { DetachLog } from '../reconcilers/detach-log.js';
import { ENIAttachmentReconciler } from '../reconcilers/eni-attachment.js';
import { LiveIntent } from '../reconcilers/live-intent.js';
import { LiveRecords } from '../reconcilers/live-records.js';
import { NetworkAttachments } from '../reconcilers/network-attachment.js';
import { NetworkResolver } from '../reconcilers/network-resolver.js';
import { NodeENIReconciler } from '../reconcilers/node-eni.js';
import { NodeENIReporter } from '../reconcilers/node-eni-reporter.js';
import { NodeReadinessReconciler } from '../reconcilers/node-readiness.js';
import { OrphanReporter } from '../reconcilers/orphan-reporter.js';
import { OrphanedENIReconciler } from '../reconcilers/orphaned-eni.js';
import type { OrphanRules } from '../reconcilers/plan-orphans.js';
import { RecordWriter } from '../reconcilers/record-writer.js';
import { SlotInspector } from '../reconcilers/slot-inspector.js';
import { ExponentialBackoff } from '../runtime/backoff.js';
import type { Clock } from '../runtime/clock.js';
import type { Regarding } from '../runtime/events.js';
import type { Ec2Side } from './ec2-side.js';
import type { KubeSide } from './kube-side.js';
import { AttachmentMetrics } from './metrics/attachment-metrics.js';
import { BlockedMetrics } from './metrics/blocked-metrics.js';
import { OrphanMetrics } from './metrics/orphan-metrics.js';

export interface ReconcilersOptions {
  config: Config;
  clock: Clock;
  /** At least 0, below 1. */
  random: () => number;
  registry: Registry;
  kube: KubeSide;
  ec2: Ec2Side;
  demand: Demand;
  createLog: CreateLog;
  isInCharge: () => boolean;
}

export interface OrphanedENIOptions {
  cleanup: OrphanRules['cleanup'];
  cluster: Regarding;
}

/** Makes the controller's reconcilers, each with all that it works with. */
export class Reconcilers {
  private readonly slots: SlotInspector;

  constructor(private readonly options: ReconcilersOptions) {
    const { kube, ec2 } = options;
    const { instances, instanceTypes } = ec2;
    this.slots = new SlotInspector({ records: kube.records.store, instances, instanceTypes });
  }

  nodeENI(): NodeENIReconciler {
    const { config, clock, kube, ec2, demand } = this.options;
    const { slots } = this;
    const { client, nodeENIClient, recordClient, events } = kube;
    const observer = BlockedMetrics.create(this.whatIsMeasured());
    return new NodeENIReconciler({
      nodeENIs: kube.nodeENIs.store,
      nodes: kube.nodes.store,
      records: kube.records.store,
      nodeENIClient,
      writer: new RecordWriter(recordClient),
      liveIntent: new LiveIntent({ nodeENIs: nodeENIClient, nodes: kube.nodeClient }),
      slots,
      networkResolver: new NetworkResolver(ec2.network),
      reporter: new NodeENIReporter({ client: nodeENIClient, events, clock, observer }),
      networkAttachments: new NetworkAttachments({
        writer: new DefinitionWriter(client),
        nodeENIClient,
        retries: this.blockedRetries(),
      }),
      demand,
      blockedRetries: this.blockedRetries(),
      defaults: {
        deviceIndex: config.defaultDeviceIndex,
        deleteOnTermination: config.defaultDeleteOnTermination,
      },
    });
  }

  nodeReadiness(): NodeReadinessReconciler {
    const { demand } = this.options;
    const { nodes, nodeENIs, records, nodeClient, events } = this.options.kube;
    return new NodeReadinessReconciler({
      nodes: nodes.store,
      nodeENIs: nodeENIs.store,
      records: records.store,
      demand,
      nodeClient,
      events,
    });
  }

  attachment(): ENIAttachmentReconciler {
    const { config, clock, createLog, kube, ec2 } = this.options;
    const { slots } = this;
    const { gateway, inventory, instances, clusterID } = ec2;
    const { recordClient, events } = kube;
    const records = kube.records.store;
    const { waitForAgent, consistencyWindow: consistencyWindowMs } = config;
    const reporter = new AttachmentReporter({
      client: recordClient,
      events,
      clock,
      waitForAgent,
      observer: AttachmentMetrics.create(this.whatIsMeasured()),
    });
    const shared = { gateway, inventory, instances, reporter, createLog, consistencyWindowMs };
    return new ENIAttachmentReconciler({
      records,
      inventory,
      provider: new AttachmentProvider({ ...shared, records, slots, clusterID }),
      remover: new AttachmentRemover({
        ...shared,
        records,
        client: recordClient,
        clock,
        detachLog: new DetachLog(clock),
        limits: {
          detach: new FairLimit(config.maxConcurrentCleanup),
          delete: new FairLimit(config.maxConcurrentCleanup),
        },
        detachmentTimeoutMs: config.detachmentTimeout,
        forceDetach: config.forceDetach,
      }),
      reporter,
      blockedRetries: this.blockedRetries(),
      observeIntervalMs: config.observeInterval,
    });
  }

  /** @param cluster what Events about ENIs of no node are about */
  orphanedENI({ cleanup, cluster }: OrphanedENIOptions): OrphanedENIReconciler {
    const { config, clock, registry } = this.options;
    const { client, nodes, records, events } = this.options.kube;
    const { gateway, inventory, clusterID } = this.options.ec2;
    return new OrphanedENIReconciler({
      records: records.store,
      liveRecords: LiveRecords.create({ client, clock }),
      gateway,
      inventory,
      reporter: new OrphanReporter({
        nodes: nodes.store,
        events,
        cluster,
        observer: OrphanMetrics.create(registry),
      }),
      clock,
      rules: {
        clusterID,
        cleanup,
        gracePeriodMs: Math.max(config.orphanGracePeriod, config.consistencyWindow),
      },
    });
  }

  private whatIsMeasured() {
    const { registry, isInCharge: inCharge, kube } = this.options;
    return { registry, records: kube.records.store, nodeENIs: kube.nodeENIs.store, inCharge };
  }

  private blockedRetries(): BlockedRetries {
    const { clock, random, config } = this.options;
    const { blockedRetryMin: baseMs, blockedRetryMax: maxMs } = config;
    const backoff = ExponentialBackoff.create({ baseMs, maxMs, jitter: 0.1, random });
    return new BlockedRetries({ backoff, clock });
  }
}
