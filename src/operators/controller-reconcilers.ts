import type { Registry } from 'prom-client';
import type { Config } from '../config/controller-settings.js';
import { PoolAddresses } from '../reconcilers/address-pool/pool-addresses.js';
import { ElasticIps } from '../reconcilers/eni-attachment/addresses/elastic-ips.js';
import { AttachmentProvider } from '../reconcilers/eni-attachment/attachment-provider.js';
import { AttachmentRemover } from '../reconcilers/eni-attachment/attachment-remover.js';
import { AttachmentReporter } from '../reconcilers/eni-attachment/attachment-reporter.js';
import type { CreateTimes } from '../reconcilers/eni-attachment/ec2-call-times.js';
import { AssociateTimes, DetachTimes } from '../reconcilers/eni-attachment/ec2-call-times.js';
import { ENIAttachmentReconciler } from '../reconcilers/eni-attachment/eni-attachment-reconciler.js';
import { LostEnis } from '../reconcilers/eni-attachment/lost-enis.js';
import { GoControllerWatch } from '../reconcilers/migration/go-controller-watch.js';
import { GoMigration } from '../reconcilers/migration/go-migration.js';
import { UnlistedEnis } from '../reconcilers/migration/unlisted-enis.js';
import { DefinitionWriter } from '../reconcilers/network-attachment/definition-writer.js';
import { NetworkAttachments } from '../reconcilers/network-attachment/network-attachments.js';
import { NodeConditionReconciler } from '../reconcilers/node-condition/node-condition-reconciler.js';
import { AttachmentWriter } from '../reconcilers/node-eni/attachment-writer.js';
import { NetworkResolver } from '../reconcilers/node-eni/network-resolver.js';
import { NodeENIReconciler } from '../reconcilers/node-eni/node-eni-reconciler.js';
import { NodeENIReporter } from '../reconcilers/node-eni/node-eni-reporter.js';
import type { PlannedAttachments } from '../reconcilers/node-eni/planned-attachments.js';
import { UncachedChecks } from '../reconcilers/node-eni/uncached-checks.js';
import { BlockedTimes } from '../reconcilers/node-readiness/blocked-times.js';
import { NodeReadinessReconciler } from '../reconcilers/node-readiness/node-readiness-reconciler.js';
import { OrphanReporter } from '../reconcilers/orphaned-eni/orphan-reporter.js';
import { OrphanedENIReconciler } from '../reconcilers/orphaned-eni/orphaned-eni-reconciler.js';
import type { OrphanRules } from '../reconcilers/orphaned-eni/plan-orphan.js';
import { UncachedAttachments } from '../reconcilers/orphaned-eni/uncached-attachments.js';
import { BlockedBackoff } from '../reconcilers/shared/blocked.js';
import { SlotInspector } from '../reconcilers/slots/slot-inspector.js';
import type { Clock } from '../runtime/clock.js';
import { ExponentialBackoff } from '../runtime/concurrency/backoff.js';
import { FairLimit } from '../runtime/concurrency/fair-queue.js';
import type { Regarding } from '../runtime/kube/events.js';
import type { Logger } from '../runtime/logger.js';
import type { Ec2Stack } from './ec2-stack.js';
import type { KubeStack } from './kube-stack.js';
import { AttachmentMetrics } from './metrics/attachment-metrics.js';
import { BlockedMetrics } from './metrics/blocked-metrics.js';
import { OrphanMetrics } from './metrics/orphan-metrics.js';

export interface ReconcilersOptions {
  config: Config;
  clock: Clock;
  logger: Logger;
  /** At least 0, below 1. */
  random: () => number;
  registry: Registry;
  kube: KubeStack;
  ec2: Ec2Stack;
  plannedAttachments: PlannedAttachments;
  createTimes: CreateTimes;
  isLeader: () => boolean;
}

export interface OrphanedENIOptions {
  cleanup: OrphanRules['cleanup'];
  cluster: Regarding;
}

/** Creates the controller's reconcilers with everything they need. */
export class Reconcilers {
  private readonly slots: SlotInspector;

  constructor(private readonly options: ReconcilersOptions) {
    const { kube, ec2 } = options;
    const { instances, instanceTypes } = ec2;
    this.slots = new SlotInspector({
      nodes: kube.nodes.store,
      reservedInterfaces: options.config.reservedInterfaces,
      attachments: kube.attachments.store,
      instances,
      instanceTypes,
    });
  }

  nodeENI(): NodeENIReconciler {
    const { config, clock, logger, kube, ec2, createTimes, plannedAttachments } = this.options;
    const { slots } = this;
    const { client, nodeENIClient, attachmentClient, events } = kube;
    const observer = BlockedMetrics.create(this.metricsOptions());
    return new NodeENIReconciler({
      nodeENIs: kube.nodeENIs.store,
      nodes: kube.nodes.store,
      attachments: kube.attachments.store,
      nodeENIClient,
      writer: new AttachmentWriter({
        client: attachmentClient,
        onCreated: (attachment) => createTimes.created(attachment),
      }),
      uncachedChecks: new UncachedChecks({ nodeENIs: nodeENIClient, nodes: kube.nodeClient }),
      slots,
      networkResolver: new NetworkResolver({ catalog: ec2.network, instances: ec2.instances }),
      reporter: new NodeENIReporter({ client: nodeENIClient, events, clock, observer }),
      networkAttachments: new NetworkAttachments({
        writer: new DefinitionWriter(client),
        nodeENIClient,
        blockedBackoff: this.blockedBackoff(),
      }),
      migration: new GoMigration({
        nodeENIs: kube.nodeENIs.store,
        nodes: kube.nodes.store,
        attachments: kube.attachments.store,
        nodeENIClient,
        attachmentClient,
        inventory: ec2.inventory,
        watch: new GoControllerWatch({ client, clock, logger }),
        clusterID: ec2.clusterID,
        clock,
        consistencyWindowMs: config.consistencyWindow,
      }),
      poolAddresses: new PoolAddresses({
        nodeENIs: kube.nodeENIs.store,
        nodes: kube.nodes.store,
        attachments: kube.attachments.store,
        inventory: ec2.inventory,
        clock,
      }),
      plannedAttachments,
      blockedBackoff: this.blockedBackoff(),
      defaults: {
        deviceIndex: config.defaultDeviceIndex,
        deleteOnTermination: config.defaultDeleteOnTermination,
      },
    });
  }

  nodeReadiness(): NodeReadinessReconciler {
    const { plannedAttachments, clock, config } = this.options;
    const { nodes, nodeENIs, attachments, nodeClient, events } = this.options.kube;
    return new NodeReadinessReconciler({
      nodes: nodes.store,
      nodeENIs: nodeENIs.store,
      attachments: attachments.store,
      plannedAttachments,
      nodeClient,
      events,
      blockedBackoff: this.blockedBackoff(),
      blockedTimes: new BlockedTimes({ clock, limitMs: config.startupTaintTimeout }),
    });
  }

  nodeCondition(): NodeConditionReconciler {
    const { plannedAttachments, clock } = this.options;
    const { nodes, nodeENIs, attachments, nodeClient, events } = this.options.kube;
    return new NodeConditionReconciler({
      nodes: nodes.store,
      nodeENIs: nodeENIs.store,
      attachments: attachments.store,
      plannedAttachments,
      nodeClient,
      events,
      blockedBackoff: this.blockedBackoff(),
      clock,
    });
  }

  attachment(): ENIAttachmentReconciler {
    const { config, clock, createTimes, kube, ec2 } = this.options;
    const { slots } = this;
    const { gateway, inventory, instances, clusterID } = ec2;
    const { attachmentClient, events } = kube;
    const attachments = kube.attachments.store;
    const { waitForAgent, consistencyWindow: consistencyWindowMs } = config;
    const reporter = new AttachmentReporter({
      client: attachmentClient,
      events,
      clock,
      waitForAgent,
      observer: AttachmentMetrics.create(this.metricsOptions()),
    });
    const shared = { gateway, inventory, instances, reporter, createTimes, consistencyWindowMs };
    const lost = new LostEnis({ attachments, inventory, clusterID });
    const elasticIps = new ElasticIps({
      attachments,
      inventory,
      catalog: ec2.elasticIps,
      reporter,
      times: new AssociateTimes({ clock, createTimes, consistencyWindowMs }),
      clock,
      consistencyWindowMs,
    });
    return new ENIAttachmentReconciler({
      attachments,
      nodeENIs: kube.nodeENIs.store,
      inventory,
      provider: new AttachmentProvider({
        ...shared,
        attachments,
        slots,
        lost,
        elasticIps,
        clusterID,
        clock,
      }),
      remover: new AttachmentRemover({
        ...shared,
        nodes: kube.nodes.store,
        attachments,
        client: attachmentClient,
        clock,
        elasticIps,
        detachTimes: new DetachTimes(clock),
        limits: {
          detach: new FairLimit(config.maxConcurrentCleanup),
          delete: new FairLimit(config.maxConcurrentCleanup),
        },
        detachmentTimeoutMs: config.detachmentTimeout,
        forceDetach: config.forceDetach,
      }),
      reporter,
      blockedBackoff: this.blockedBackoff(),
      observeIntervalMs: config.observeInterval,
    });
  }

  /** @param cluster the object of Events about ENIs without a Node */
  orphanedENI({ cleanup, cluster }: OrphanedENIOptions): OrphanedENIReconciler {
    const { config, clock, registry } = this.options;
    const { client, nodes, attachments, events } = this.options.kube;
    const { gateway, inventory, clusterID } = this.options.ec2;
    return new OrphanedENIReconciler({
      attachments: attachments.store,
      uncachedAttachments: UncachedAttachments.create({ client, clock }),
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

  /** @param cluster the object of Events about ENIs without a Node */
  unlistedEnis({ cluster }: Pick<OrphanedENIOptions, 'cluster'>): UnlistedEnis {
    const { config, clock, logger, ec2 } = this.options;
    const { nodeENIs, nodes, attachments, events } = this.options.kube;
    return new UnlistedEnis({
      gateway: ec2.gateway,
      nodeENIs: nodeENIs.store,
      nodes: nodes.store,
      attachments: attachments.store,
      events,
      cluster,
      clock,
      logger,
      delayMs: config.orphanGracePeriod,
    });
  }

  private metricsOptions() {
    const { registry, isLeader, kube } = this.options;
    return {
      registry,
      attachments: kube.attachments.store,
      nodeENIs: kube.nodeENIs.store,
      isLeader,
    };
  }

  private blockedBackoff(): BlockedBackoff {
    const { clock, random, config } = this.options;
    const { blockedRetryMin: baseMs, blockedRetryMax: maxMs } = config;
    const backoff = ExponentialBackoff.create({ baseMs, maxMs, jitter: 0.1, random });
    return new BlockedBackoff({ backoff, clock });
  }
}
