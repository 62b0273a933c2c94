import { randomUUID } from 'node:crypto';
import { Registry } from 'prom-client';
import { ENIAttachment } from '../api/eni-attachment.js';
import { LABELS } from '../api/names.js';
import { Namespace } from '../api/namespace.js';
import { Node } from '../api/node.js';
import { NodeENI } from '../api/node-eni.js';
import { EniInventory } from '../aws/inventory/eni-inventory.js';
import { metadataRegion, resolveRegion } from '../aws/region.js';
import type { Config } from '../config/controller-settings.js';
import { CreateTimes } from '../reconcilers/eni-attachment/ec2-call-times.js';
import type { UnlistedEnis } from '../reconcilers/migration/unlisted-enis.js';
import { PlannedAttachments } from '../reconcilers/node-eni/planned-attachments.js';
import { ExponentialBackoff } from '../runtime/concurrency/backoff.js';
import type { KubeAccess } from '../runtime/kube/access/kube-access.js';
import type { KubeClient } from '../runtime/kube/kube-client.js';
import type { KubeObject } from '../runtime/kube/resource.js';
import { LeaderElector } from '../runtime/leader-election/leader-election.js';
import type { Logger } from '../runtime/logger.js';
import { ControllerMetrics } from '../runtime/metrics/controller-metrics.js';
import { registerLeaderMetrics } from '../runtime/metrics/leader-metrics.js';
import { registerProcessMetrics } from '../runtime/metrics/process-metrics.js';
import { RequestMetrics } from '../runtime/metrics/request-metrics.js';
import { AdmissionPolicies } from './admission-policies.js';
import { Reconcilers } from './controller-reconcilers.js';
import { Ec2Readiness } from './ec2-readiness.js';
import { createEc2Stack } from './ec2-stack.js';
import { createKubeStack, type KubeStack } from './kube-stack.js';
import { registerBuildInfo } from './metrics/build-info.js';
import { Operator } from './operator.js';
import { Serving } from './serving.js';
import { WritePermissions } from './write-permissions.js';

export interface EniOperatorOptions {
  config: Config;
  logger: Logger;
  /** How to reach the API server. */
  access: KubeAccess;
  /** Name of this process in Events and in the Lease, for example the pod's name. */
  instance: string;
  /** Namespace of the Lease if the configuration names none, for example the pod's namespace. */
  namespace: string;
}

/** Nodes whose Region label is read if nothing else gives the Region; all have the same. */
const NODES_ASKED = 50;

/** NodeENIs reconciled in parallel; each reconcile is short. */
const NODE_ENI_CONCURRENCY = 4;

/** First wait after an EC2 or API failure, in milliseconds: each retry of a write costs a token. */
const FAILURE_BACKOFF = { baseMs: 200, maxMs: 60_000, jitter: 0.2 };

/** The controller: watches NodeENIs, Nodes and ENIAttachments, and owns every ENI of the cluster in EC2. */
export class EniOperator extends Operator {
  private readonly config: Config;
  private readonly access: KubeAccess;
  private readonly instance: string;
  private readonly namespace: string;
  private readonly createTimes: CreateTimes;
  private readonly registry: Registry;
  private serving: Serving | undefined;
  private kube: KubeStack | undefined;
  /** Undefined without leader election: this process is the only one. */
  private elector: LeaderElector | undefined;
  private policies: AdmissionPolicies | undefined;
  private unlisted: UnlistedEnis | undefined;
  /** Whether the Lease was acquired; it may be paused since. */
  private hasLed = false;
  /** Reads EC2 until the signal aborts, so that `/readyz` says whether this process could take over. */
  private standBy: ((signal: AbortSignal) => Promise<void>) | undefined;
  private checkPermissions: ((signal: AbortSignal) => Promise<void>) | undefined;

  constructor({ config, access, instance, namespace, ...options }: EniOperatorOptions) {
    const registry = new Registry();
    super({ ...options, observer: ControllerMetrics.create(registry) });
    this.registry = registry;
    registerBuildInfo(registry);
    registerProcessMetrics({ registry, eventLoopLag: true });
    this.config = config;
    this.access = access;
    this.instance = instance;
    this.namespace = namespace;
    this.createTimes = new CreateTimes(this.clock);
  }

  /** @throws RegionUnknownError, KubeApiError, KubeUnreachableError; what {@link Serving.start} throws */
  protected override async init(): Promise<void> {
    const { config, clock, random, logger, instance, access, registry } = this;
    const checks = [this.liveness, this.readiness];
    // First, because the rest can wait for the API server or EC2 without limit.
    this.serving = await Serving.start({ config, registry, checks, access, clock, logger });
    const observer = RequestMetrics.create(registry);
    const kube = createKubeStack({ access, instance, clock, random, logger, observer });
    this.kube = kube;
    const region = await this.region(kube.client);
    const kubeSystem = await this.fromApiServer(() =>
      kube.client.get<KubeObject>(Namespace.resource, { name: 'kube-system' }),
    );
    const clusterID = config.clusterID ?? kubeSystem.metadata.uid;
    logger.info('Managing ENIs', { region, clusterID, ...settingsToLog(config) });
    if (config.leaderElection) {
      this.elector = this.createElector(kube);
    }
    const { elector } = this;
    const cluster = { kind: Namespace, object: kubeSystem };
    const readiness = new Ec2Readiness({ clock, events: kube.events, cluster });
    const ec2 = createEc2Stack({
      region,
      clusterID,
      config,
      clock,
      logger,
      elector,
      registry,
      onListing: (failure) => readiness.listing(failure),
    });
    this.readiness.add('ec2', () =>
      !this.elector || this.hasLed ? readiness.check(ec2.inventory) : readiness.checkStandby(),
    );
    this.standBy = (signal) => readiness.standBy(ec2.gateway, signal);
    const permissions = new WritePermissions({
      gateway: ec2.gateway,
      anyEni: () => anyEniOf(kube.attachments.store.list()),
      clock,
      logger,
      events: kube.events,
      cluster,
    });
    this.readiness.add('ec2-permissions', () => permissions.check());
    this.checkPermissions = (signal) => permissions.run(signal);
    this.policies = new AdmissionPolicies({
      ...{ client: kube.client, nodes: kube.nodes.store, events: kube.events },
      ...{ cluster, clock, logger, registry },
      intervalMs: config.resyncPeriod,
    });

    this.addSource(NodeENI, kube.nodeENIs);
    this.addSource(Node, kube.nodes);
    this.addSource(ENIAttachment, kube.attachments);
    const plannedAttachments = new PlannedAttachments({ logger: this.logger });
    this.addSource(PlannedAttachments, plannedAttachments);
    // Late: a standby's listing would miss the leader's last writes.
    this.addSource(EniInventory, ec2.inventory, { late: true });

    const reconcilers = new Reconcilers({
      config,
      clock,
      logger,
      random,
      registry,
      kube,
      ec2,
      plannedAttachments,
      createTimes: this.createTimes,
      isLeader: () => this.isLeader,
    });
    const backoff = () => ExponentialBackoff.create({ ...FAILURE_BACKOFF, random });
    this.addReconciler(reconcilers.nodeENI(), {
      concurrency: NODE_ENI_CONCURRENCY,
      backoff: backoff(),
    });
    this.addReconciler(reconcilers.nodeReadiness(), { backoff: backoff() });
    if (config.nodeCondition) {
      this.addReconciler(reconcilers.nodeCondition(), { backoff: backoff() });
    }
    this.addReconciler(reconcilers.attachment(), {
      concurrency: config.maxConcurrentReconciles,
      backoff: backoff(),
    });
    if (config.orphanCleanup !== 'off') {
      this.unlisted = reconcilers.unlistedEnis({ cluster });
      const orphaned = reconcilers.orphanedENI({ cleanup: config.orphanCleanup, cluster });
      this.addReconciler(orphaned, { backoff: backoff() });
    }
  }

  protected override async activate(signal: AbortSignal): Promise<void> {
    if (this.elector) {
      const { lost } = this.elector;
      lost.addEventListener('abort', () => this.fail(lost.reason), { once: true });
      const waiting = new AbortController();
      void this.standBy?.(AbortSignal.any([signal, waiting.signal]));
      try {
        await this.elector.acquire(signal);
      } finally {
        waiting.abort();
      }
    }
    this.hasLed = true;
    // Calls that a dead process sent can arrive while this one starts.
    this.createTimes.becameLeader();
  }

  protected override sourcesSynced(signal: AbortSignal): void {
    void this.checkPermissions?.(signal);
  }

  protected override async beforeWorkers(signal: AbortSignal): Promise<void> {
    void this.policies?.watch(signal);
    void this.unlisted?.watch(signal);
  }

  /** Unfinished work may still write to EC2: then the Lease has to expire. */
  protected override async afterWorkers(unfinished: readonly string[]): Promise<void> {
    if (unfinished.length === 0) await this.elector?.release();
  }

  /** Stops gracefully, as the base class does; resolves after all Events are sent. */
  override async stop(): Promise<void> {
    await super.stop();
    await this.kube?.events.flush();
    await this.kube?.client.close();
    await this.serving?.stop();
  }

  /** True without leader election. */
  private get isLeader(): boolean {
    return this.elector?.isLeader ?? true;
  }

  private createElector({ client, events }: KubeStack): LeaderElector {
    const { config, clock, random, logger, registry } = this;
    const elector = LeaderElector.create({
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
      onPause: () => this.pause(),
      onResume: () => this.resume(),
    });
    registerLeaderMetrics({ registry, lease: config.leaseName, elector });
    return elector;
  }

  private region(kube: KubeClient): Promise<string> {
    return resolveRegion({
      configured: this.config.region,
      metadata: () => metadataRegion(),
      nodeRegions: async () => {
        const { items } = await this.fromApiServer(() =>
          kube.list<Node>(Node.resource, { limit: NODES_ASKED }),
        );
        return items.flatMap(({ metadata }) => metadata.labels?.[LABELS.region] ?? []);
      },
    });
  }
}

function settingsToLog({ budgetShare, maxConcurrentReconciles, resyncPeriod }: Config) {
  return { budgetShare, maxConcurrentReconciles, resyncPeriodMs: resyncPeriod };
}

/** The attachment's ENI that most likely exists in EC2. */
function anyEniOf(attachments: readonly ENIAttachment[]): string | undefined {
  return attachments.find(({ status }) => status?.phase === 'Ready')?.status?.eniID;
}
