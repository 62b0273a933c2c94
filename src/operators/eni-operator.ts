import { randomUUID } from 'node:crypto';
import type { KubeConfig } from '@kubernetes/client-node';
import { ENIAttachment } from '../api/eni-attachment.js';
import { API_GROUP, LABELS, MANAGER_NAME } from '../api/names.js';
import { Node, trimNode } from '../api/node.js';
import { NodeENI } from '../api/node-eni.js';
import { EniInventory } from '../aws/eni-inventory.js';
import { FairLimit } from '../aws/fair-limit.js';
import { metadataRegion } from '../aws/instance-metadata.js';
import { InstanceTypeCatalog } from '../aws/instance-types.js';
import { InstanceCatalog } from '../aws/instances.js';
import { NetworkCatalog } from '../aws/network-catalog.js';
import { resolveRegion } from '../aws/region.js';
import { RequestBudget } from '../aws/request-budget.js';
import { createEc2Client } from '../aws/sdk-client.js';
import { SdkEc2Gateway } from '../aws/sdk-ec2-gateway.js';
import type { Config } from '../config/settings.js';
import { AttachmentProvider } from '../reconcilers/attachment-provider.js';
import { AttachmentRemover } from '../reconcilers/attachment-remover.js';
import { AttachmentReporter } from '../reconcilers/attachment-reporter.js';
import { BlockedRetries } from '../reconcilers/blocked-retries.js';
import { CreateLog } from '../reconcilers/create-log.js';
import { ENIAttachmentReconciler } from '../reconcilers/eni-attachment.js';
import { LiveRecords } from '../reconcilers/live-records.js';
import { NetworkResolver } from '../reconcilers/network-resolver.js';
import { NodeENIReconciler } from '../reconcilers/node-eni.js';
import { NodeENIReporter } from '../reconcilers/node-eni-reporter.js';
import { OrphanReporter } from '../reconcilers/orphan-reporter.js';
import { OrphanedENIReconciler } from '../reconcilers/orphaned-eni.js';
import { SlotInspector } from '../reconcilers/slot-inspector.js';
import { ExponentialBackoff } from '../runtime/backoff.js';
import { KubeEventRecorder } from '../runtime/events.js';
import { HttpKubeClient } from '../runtime/http-kube-client.js';
import { Informer, type InformerOptions } from '../runtime/informer.js';
import type { KubeClient } from '../runtime/kube-client.js';
import { LeaderElector } from '../runtime/leader-election.js';
import type { Logger } from '../runtime/logger.js';
import type { KubeObject, ResourceType } from '../runtime/resource.js';
import { ResourceClient } from '../runtime/resource-client.js';
import { Operator } from './operator.js';

export interface EniOperatorOptions {
  config: Config;
  logger: Logger;
  /** Default: as {@link Operator} finds it. */
  kubeConfig?: KubeConfig;
  /** Name of this process in Events and in the Lease, the pod's for one. */
  instance: string;
  /** Namespace of the Lease where the configuration names none, the pod's for one. */
  namespace: string;
}

const NAMESPACES: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'namespaces',
  kind: 'Namespace',
  namespaced: false,
};

/** Nodes asked for their Region label where nothing else tells the Region; all carry the same. */
const NODES_ASKED = 50;

/**
 * Calls sent together are answered within this time of one another (milliseconds); a look that does not wait
 * for the last of them makes it wait for the next look.
 */
const OBSERVATION_GATHER_MS = 100;

/** NodeENIs reconciled at once; each pass is short. */
const NODE_ENI_CONCURRENCY = 4;

/** First wait after an EC2 or API failure, in milliseconds: each retry of a write costs a token. */
const FAILURE_BACKOFF = { baseMs: 200, maxMs: 60_000, jitter: 0.2 };

/** The controller: watches NodeENIs, Nodes and ENIAttachments, and owns every ENI of the cluster in EC2. */
export class EniOperator extends Operator {
  private readonly config: Config;
  private readonly instance: string;
  private readonly namespace: string;
  private readonly createLog: CreateLog;
  private kube: HttpKubeClient | undefined;
  private events: KubeEventRecorder | undefined;
  /** Unset: this process is the only one. */
  private elector: LeaderElector | undefined;

  constructor({ config, instance, namespace, ...options }: EniOperatorOptions) {
    super(options);
    this.config = config;
    this.instance = instance;
    this.namespace = namespace;
    this.createLog = new CreateLog(this.clock);
  }

  /** @throws RegionUnknownError, KubeApiError, KubeUnreachableError */
  protected override async init(): Promise<void> {
    const { config, clock, random, logger, createLog } = this;
    const kube = HttpKubeClient.create({ kubeConfig: this.kubeConfig, logger });
    this.kube = kube;
    const region = await this.region(kube);
    const kubeSystem = await kube.get<KubeObject>(NAMESPACES, { name: 'kube-system' });
    const clusterID = config.clusterID ?? kubeSystem.metadata.uid;
    logger.info('Managing ENIs', { region, clusterID, ...settingsToLog(config) });

    const nodeENIs = this.informer(kube, { kind: NodeENI });
    const nodes = this.informer(kube, { kind: Node, transform: trimNode });
    const records = this.informer(kube, {
      kind: ENIAttachment,
      indexes: {
        uid: ({ metadata }) => [metadata.uid],
        nodeENI: ({ spec }) => [spec.nodeENI],
        instanceID: ({ spec }) => [spec.instanceID],
      },
    });
    const nodeENIClient = ResourceClient.create({
      kind: NodeENI,
      client: kube,
      observer: nodeENIs,
    });
    const recordClient = ResourceClient.create({
      kind: ENIAttachment,
      client: kube,
      observer: records,
    });
    const events = KubeEventRecorder.create({
      client: kube,
      clock,
      random,
      logger,
      reportingController: `${API_GROUP}/${MANAGER_NAME}`,
      reportingInstance: this.instance,
    });
    this.events = events;

    const elector = config.leaderElection ? this.createElector(kube, events) : undefined;
    this.elector = elector;
    const gateway = SdkEc2Gateway.create({
      client: createEc2Client({
        region,
        ...(elector ? { mayWrite: () => elector.isLeader } : {}),
      }),
      budget: RequestBudget.create({ clock, share: config.budgetShare }),
      logger,
      ...(elector ? { signal: elector.lost } : {}),
    });
    const inventory = EniInventory.create({
      gateway,
      clusterId: clusterID,
      clock,
      logger,
      resyncMs: config.resyncPeriod,
      gatherMs: OBSERVATION_GATHER_MS,
      observeIntervalMs: config.observeInterval,
      consistencyWindowMs: config.consistencyWindow,
    });
    const instances = InstanceCatalog.create({ gateway, clock });
    const slots = new SlotInspector({
      records: records.store,
      instances,
      instanceTypes: InstanceTypeCatalog.create({ gateway, clock }),
    });
    const reporter = new AttachmentReporter({
      client: recordClient,
      events,
      clock,
      waitForAgent: config.waitForAgent,
    });

    this.addSource(NodeENI, nodeENIs);
    this.addSource(Node, nodes);
    this.addSource(ENIAttachment, records);
    // A standby's listing would miss the leader's last writes: the first one is made in charge.
    this.addSource(EniInventory, inventory, { late: true });

    this.addReconciler(
      new NodeENIReconciler({
        nodeENIs: nodeENIs.store,
        nodes: nodes.store,
        records: records.store,
        nodeENIClient,
        recordClient,
        slots,
        networkResolver: new NetworkResolver(
          NetworkCatalog.create({ gateway, clock, ttlMs: config.lookupTTL }),
        ),
        reporter: new NodeENIReporter({ client: nodeENIClient, events, clock }),
        blockedRetries: this.blockedRetries(),
        defaults: {
          deviceIndex: config.defaultDeviceIndex,
          deleteOnTermination: config.defaultDeleteOnTermination,
        },
      }),
      { concurrency: NODE_ENI_CONCURRENCY },
    );
    this.addReconciler(
      new ENIAttachmentReconciler({
        records: records.store,
        provider: new AttachmentProvider({
          gateway,
          inventory,
          instances,
          slots,
          reporter,
          createLog,
          clusterID,
          consistencyWindowMs: config.consistencyWindow,
        }),
        remover: new AttachmentRemover({
          records: records.store,
          client: recordClient,
          gateway,
          inventory,
          instances,
          reporter,
          createLog,
          clock,
          limits: {
            detach: new FairLimit(config.maxConcurrentCleanup),
            delete: new FairLimit(config.maxConcurrentCleanup),
          },
          detachmentTimeoutMs: config.detachmentTimeout,
          forceDetach: config.forceDetach,
          consistencyWindowMs: config.consistencyWindow,
        }),
        reporter,
        blockedRetries: this.blockedRetries(),
        observeIntervalMs: config.observeInterval,
      }),
      {
        concurrency: config.maxConcurrentReconciles,
        backoff: ExponentialBackoff.create({ ...FAILURE_BACKOFF, random }),
      },
    );
    if (config.orphanCleanup !== 'off') {
      this.addReconciler(
        new OrphanedENIReconciler({
          records: records.store,
          liveRecords: LiveRecords.create({ client: kube, clock }),
          gateway,
          inventory,
          reporter: new OrphanReporter({
            nodes: nodes.store,
            events,
            cluster: { kind: { resource: NAMESPACES }, object: kubeSystem },
          }),
          clock,
          rules: {
            clusterID,
            cleanup: config.orphanCleanup,
            gracePeriodMs: Math.max(config.orphanGracePeriod, config.consistencyWindow),
          },
        }),
        { backoff: ExponentialBackoff.create({ ...FAILURE_BACKOFF, random }) },
      );
    }
  }

  protected override async beforeWorkers(signal: AbortSignal): Promise<void> {
    if (!this.elector) return;
    const { lost } = this.elector;
    lost.addEventListener('abort', () => this.fail(lost.reason), { once: true });
    await this.elector.acquire(signal);
    this.createLog.takeCharge();
  }

  /** What is unfinished may yet write to EC2: then the lease is left to run out. */
  protected override async afterWorkers(unfinished: readonly string[]): Promise<void> {
    if (unfinished.length === 0) await this.elector?.release();
  }

  /** Graceful, as the base class does it; what was told of in Events is sent before it resolves. */
  override async stop(): Promise<void> {
    await super.stop();
    await this.events?.flush();
    await this.kube?.close();
  }

  private informer<T extends KubeObject>(
    client: KubeClient,
    options: Pick<InformerOptions<T>, 'kind' | 'indexes' | 'transform'>,
  ): Informer<T> {
    const { clock, random, logger } = this;
    return Informer.create<T>({ client, clock, random, logger, ...options });
  }

  private createElector(client: KubeClient, events: KubeEventRecorder): LeaderElector {
    const { config, clock, random, logger } = this;
    return LeaderElector.create({
      client,
      events,
      clock,
      random,
      logger,
      lease: { namespace: config.leaseNamespace ?? this.namespace, name: config.leaseName },
      identity: `${this.instance}_${randomUUID()}`,
      leaseDurationMs: config.leaseDuration,
      renewDeadlineMs: config.renewDeadline,
      retryPeriodMs: config.retryPeriod,
    });
  }

  private blockedRetries(): BlockedRetries {
    const { clock, random } = this;
    const { blockedRetryMin: baseMs, blockedRetryMax: maxMs } = this.config;
    const backoff = ExponentialBackoff.create({ baseMs, maxMs, jitter: 0.1, random });
    return new BlockedRetries({ backoff, clock });
  }

  private region(kube: KubeClient): Promise<string> {
    return resolveRegion({
      configured: this.config.region,
      metadata: () => metadataRegion(),
      nodeRegions: async () => {
        const { items } = await kube.list<Node>(Node.resource, { limit: NODES_ASKED });
        return items.flatMap(({ metadata }) => metadata.labels?.[LABELS.region] ?? []);
      },
    });
  }
}

function settingsToLog({ budgetShare, maxConcurrentReconciles, resyncPeriod }: Config) {
  return { budgetShare, maxConcurrentReconciles, resyncPeriodMs: resyncPeriod };
}
