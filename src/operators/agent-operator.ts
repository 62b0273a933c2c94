import { Registry } from 'prom-client';
import type { OpenDhcpSocket } from '../agent/dhcp/dhcp-socket.js';
import { DhcpLeases, LeaseEvent } from '../agent/dhcp/leases.js';
import { HostEvent, HostEventSource } from '../agent/host/host-events.js';
import type { HostNetwork } from '../agent/host/host-network.js';
import { observe } from '../agent/host/host-snapshot.js';
import { tableOf } from '../agent/host/own-ids.js';
import { Contention } from '../agent/link/contention.js';
import { LinkReconciler } from '../agent/link/link-reconciler.js';
import { LinkReporter } from '../agent/link/link-reporter.js';
import { PodAddressReporter } from '../agent/link/pod-address-reporter.js';
import { logManagers } from '../agent/managers/detect-managers.js';
import {
  DropInFolder,
  NETWORKD_DROP_IN,
  NETWORKMANAGER_DROP_IN,
} from '../agent/managers/drop-in-folder.js';
import { DropInWriter } from '../agent/managers/drop-in-writer.js';
import { HostLocalState } from '../agent/pods/host-local-state.js';
import { NetworkFiles } from '../agent/pods/network-files.js';
import { networkOf, PodNetworkSweeper } from '../agent/pods/pod-network-sweeper.js';
import { PodNetworks } from '../agent/pods/pod-networks.js';
import { HostSweeper } from '../agent/sweep/host-sweeper.js';
import { ENIAttachment } from '../api/eni-attachment.js';
import type { AgentConfig } from '../config/agent-settings.js';
import { Informer } from '../runtime/cache/informer.js';
import { ExponentialBackoff } from '../runtime/concurrency/backoff.js';
import { SharedRead } from '../runtime/concurrency/shared-read.js';
import type { KubeAccess } from '../runtime/kube/access/kube-access.js';
import { HttpKubeClient } from '../runtime/kube/http/http-kube-client.js';
import { ResourceClient } from '../runtime/kube/resource-client.js';
import type { Logger } from '../runtime/logger.js';
import { ControllerMetrics } from '../runtime/metrics/controller-metrics.js';
import { registerProcessMetrics } from '../runtime/metrics/process-metrics.js';
import { RequestMetrics } from '../runtime/metrics/request-metrics.js';
import { registerBuildInfo } from './metrics/build-info.js';
import { Operator } from './operator.js';
import { Serving } from './serving.js';

export interface AgentOperatorOptions {
  config: AgentConfig;
  logger: Logger;
  /** How to reach the API server. */
  access: KubeAccess;
  network: HostNetwork;
}

const AGENT_NAME = 'eni-operator-agent';

/** Far above the size of one node's attachments; limits what a broken API server costs a node, in bytes. */
const MAX_RESPONSE_BYTES = 8 * 2 ** 20;

/** About as many as an instance has slots, so that no link waits for another. */
const LINKS_AT_ONCE = 16;

/** First wait after a failure, in milliseconds: short, so that interfaces are usable soon; growing, so that a broken host is not polled. */
const FAILURE_BACKOFF = { baseMs: 50, maxMs: 30_000, jitter: 0.2 };

/** The node agent: turns the ENIs of its node into usable interfaces, based only on the node's ENIAttachments. */
export class AgentOperator extends Operator {
  private readonly config: AgentConfig;
  private readonly network: HostNetwork;
  private readonly access: KubeAccess;
  private readonly registry: Registry;
  private serving: Serving | undefined;
  private client: HttpKubeClient | undefined;

  constructor({ config, network, access, ...options }: AgentOperatorOptions) {
    const registry = new Registry();
    super({ ...options, observer: ControllerMetrics.create(registry) });
    this.registry = registry;
    registerBuildInfo(registry);
    registerProcessMetrics({ registry, eventLoopLag: false });
    this.config = config;
    this.network = network;
    this.access = access;
  }

  protected override async init(): Promise<void> {
    const { clock, random, logger, network, access } = this;
    const { nodeName, routeTableBase: tableBase, resyncPeriod: resyncMs } = this.config;
    const { config, registry } = this;
    const checks = [this.liveness, this.readiness];
    this.serving = await Serving.start({ config, registry, checks, access, clock, logger });
    const observer = RequestMetrics.create(registry);
    const client = HttpKubeClient.create({
      access,
      logger,
      userAgent: AGENT_NAME,
      maxResponseBytes: MAX_RESPONSE_BYTES,
      observer,
    });
    this.client = client;
    const informer = Informer.create<ENIAttachment>({
      kind: ENIAttachment,
      client,
      clock,
      random,
      logger,
      fieldSelector: `spec.nodeName=${nodeName}`,
      indexes: {
        macAddress: ({ status }) => (status?.macAddress ? [status.macAddress.toLowerCase()] : []),
        table: ({ spec }) =>
          spec.routing === 'policy' || spec.podNetwork ? [String(tableOf(spec, tableBase))] : [],
      },
    });
    this.addSource(ENIAttachment, informer);
    const hostEvents = new HostEventSource({ network, clock, logger, resyncMs });
    this.addSource(HostEvent, hostEvents);
    const leases = new DhcpLeases({ open: openDhcpSocket, clock, random, logger });
    this.addSource(LeaseEvent, leases);

    const attachments = informer.store;
    const attachmentClient = ResourceClient.create({
      kind: ENIAttachment,
      client,
      observer: informer,
    });
    const backoff = () => ExponentialBackoff.create({ ...FAILURE_BACKOFF, random });
    const reporter = new LinkReporter(attachmentClient);
    const contention = new Contention(clock);
    const podNetworks = new PodNetworks({
      files: new NetworkFiles(config.multusConfDir),
      hostLocal: new HostLocalState({ dir: config.cniStateDir, clock }),
      hasNetwork: (name) => attachments.list().some((each) => networkOf(each) === name),
      clock,
    });
    this.addReconciler(
      new LinkReconciler({
        attachments,
        network,
        snapshots: new SharedRead(() => observe(network)),
        knownLinks: hostEvents,
        reporter,
        contention,
        leases,
        podNetworks,
        clock,
        tableBase,
      }),
      { backoff: backoff(), concurrency: LINKS_AT_ONCE },
    );
    this.addReconciler(new HostSweeper({ attachments, network, tableBase }), {
      backoff: backoff(),
    });
    this.addReconciler(new PodAddressReporter({ attachments, podNetworks, reporter }), {
      backoff: backoff(),
    });
    if (config.multusConfDir !== undefined) {
      this.addReconciler(new PodNetworkSweeper({ podNetworks }), {
        backoff: backoff(),
      });
    }
    const folders = dropInFolders(config);
    if (folders.length > 0) {
      this.addReconciler(new DropInWriter({ attachments, folders }), { backoff: backoff() });
    }
    logger.info('Serving a node', { node: nodeName, tableBase });
  }

  protected override beforeWorkers(): Promise<void> {
    return logManagers({ network: this.network, logger: this.logger });
  }

  /** Stops gracefully, as the base class does. Interfaces stay configured: pods use them. */
  override async stop(): Promise<void> {
    await super.stop();
    await this.client?.close();
    await this.serving?.stop();
    this.network.close();
  }
}

/** Loads UDP with the first DHCP request: it costs half a MiB, which nodes without DHCP save. */
const openDhcpSocket: OpenDhcpSocket = async (...args) => {
  const { openUdpDhcpSocket } = await import('../agent/dhcp/udp-dhcp-socket.js');
  return openUdpDhcpSocket(...args);
};

function dropInFolders({
  networkdDropInDir,
  networkManagerDropInDir,
}: AgentConfig): DropInFolder[] {
  const folders: DropInFolder[] = [];
  if (networkdDropInDir) folders.push(new DropInFolder(networkdDropInDir, NETWORKD_DROP_IN));
  if (networkManagerDropInDir) {
    folders.push(new DropInFolder(networkManagerDropInDir, NETWORKMANAGER_DROP_IN));
  }
  return folders;
}
