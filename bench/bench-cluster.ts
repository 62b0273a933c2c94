import { KubeConfig } from '@kubernetes/client-node';
import pLimit from 'p-limit';
import { ENIAttachment } from '../src/api/eni-attachment.js';
import { TAGS } from '../src/api/names.js';
import { NodeENI } from '../src/api/node-eni.js';
import { systemClock } from '../src/runtime/clock.js';
import { HttpKubeClient } from '../src/runtime/http-kube-client.js';
import { Informer } from '../src/runtime/informer.js';
import type { KubeClient } from '../src/runtime/kube-client.js';
import type { Logger } from '../src/runtime/logger.js';
import type { KindClass, KubeObject } from '../src/runtime/resource.js';
import type { Store } from '../src/runtime/store.js';
import { DEFAULT_IDS, type Eni, type SimulatorControl } from '../tools/ec2-simulator/index.js';
import { ControlPlane } from '../tools/envtest/control-plane.js';
import { ControllerProcess } from '../tools/stage/controller-process.js';
import { createNode, labelNode } from '../tools/stage/nodes.js';
import { CONTROLLER_USER, LABEL, REGION, ZONE } from './conditions.js';
import { AuditLog } from './measures/kube-writes.js';
import type { Scenario } from './scenario.js';
import { startSimulator } from './simulator-process.js';

/** Requests of ours under way at once. */
const PARALLEL_REQUESTS = 16;

const quiet: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => quiet,
};

/** The control plane has no audit log to read: it is a cluster that was there before. */
export class NoAuditLogError extends Error {
  override readonly name = 'NoAuditLogError';

  constructor() {
    super('The benchmark needs a control plane of its own: unset USE_EXISTING_CLUSTER.');
  }
}

interface Parts {
  scenario: Scenario;
  ec2: SimulatorControl;
  kube: KubeClient;
  controller: ControllerProcess;
  auditLog: AuditLog;
  nodeENIs: Store<NodeENI>;
  records: Store<ENIAttachment>;
}

/** A scenario's cluster: control plane, EC2 and the shipped controller, each a process of its own. */
export class BenchCluster implements AsyncDisposable {
  private constructor(
    private readonly parts: Parts,
    private readonly stack: AsyncDisposableStack,
  ) {}

  /**
   * Resolves once the nodes are there and the controller's process runs; it may still be starting.
   * @throws NoAuditLogError; what a part that does not start throws
   */
  static async start(scenario: Scenario): Promise<BenchCluster> {
    await using stack = new AsyncDisposableStack();
    const controlPlane = await ControlPlane.start({ auditLog: true });
    stack.defer(() => controlPlane.stop());
    const { auditLogPath } = controlPlane;
    if (auditLogPath === undefined) {
      throw new NoAuditLogError();
    }
    await controlPlane.applyCrds('crds');
    const simulator = await startSimulator();
    stack.defer(() => simulator.stop());
    const ec2 = simulator.control;

    const kube = clientFor(controlPlane.kubeconfigPath);
    stack.defer(() => kube.close());
    const watching = new AbortController();
    stack.defer(() => watching.abort());
    const [nodeENIs, records] = await Promise.all([
      storeOf(kube, NodeENI, watching.signal),
      storeOf(kube, ENIAttachment, watching.signal),
    ]);
    await createNodes(scenario, ec2, kube);

    const controller = ControllerProcess.start({
      kubeconfigPath: await controlPlane.kubeconfigFor({
        name: CONTROLLER_USER,
        groups: ['system:masters'],
      }),
      ec2Url: ec2.url,
      region: REGION,
    });
    stack.defer(async () => {
      await controller.stop();
    });
    return new BenchCluster(
      { scenario, ec2, kube, controller, auditLog: new AuditLog(auditLogPath), nodeENIs, records },
      stack.move(),
    );
  }

  get ec2(): SimulatorControl {
    return this.parts.ec2;
  }

  get controller(): ControllerProcess {
    return this.parts.controller;
  }

  get auditLog(): AuditLog {
    return this.parts.auditLog;
  }

  /** As the API server has them. */
  get nodeENIs(): Store<NodeENI> {
    return this.parts.nodeENIs;
  }

  /** As the API server has them. */
  get records(): Store<ENIAttachment> {
    return this.parts.records;
  }

  /** The ENIs that the controller has made and EC2 has. */
  async managedEnis(): Promise<Eni[]> {
    const { enis } = await this.ec2.state();
    return enis.filter(({ tags }) => TAGS.attachmentUID in tags);
  }

  async createNodeENIs(): Promise<void> {
    const { kube, scenario } = this.parts;
    await inParallel(indexes(scenario.nodeENIs), (index) =>
      kube.create<NodeENI>(NodeENI.resource, {
        metadata: { name: nodeENIName(index) },
        spec: {
          nodeSelector: { [LABEL]: 'true' },
          subnetID: DEFAULT_IDS.subnets.net1A,
          securityGroupIDs: [DEFAULT_IDS.groups.net1],
          deviceIndex: index + 1,
          deleteOnTermination: true,
        },
      }),
    );
  }

  /** Takes the label from the first `count` nodes. */
  async unlabel(count: number): Promise<void> {
    const { kube } = this.parts;
    await inParallel(indexes(count), (index) =>
      labelNode(kube, nodeName(index), { [LABEL]: null }),
    );
  }

  async deleteNodeENIs(): Promise<void> {
    const { kube, scenario } = this.parts;
    await inParallel(indexes(scenario.nodeENIs), (index) =>
      kube.delete(NodeENI.resource, { name: nodeENIName(index) }),
    );
  }

  /** Ends all processes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stack.disposeAsync();
  }
}

function clientFor(kubeconfigPath: string): HttpKubeClient {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(kubeconfigPath);
  return HttpKubeClient.create({ kubeConfig, logger: quiet, userAgent: 'eni-operator-bench' });
}

async function storeOf<T extends KubeObject>(
  client: KubeClient,
  kind: KindClass<T>,
  signal: AbortSignal,
): Promise<Store<T>> {
  const informer = Informer.create<T>({
    kind,
    client,
    clock: systemClock,
    random: Math.random,
    logger: quiet,
  });
  await informer.start(signal);
  return informer.store;
}

async function createNodes(
  { nodes, instanceType }: Scenario,
  ec2: SimulatorControl,
  kube: KubeClient,
): Promise<void> {
  await inParallel(indexes(nodes), async (index) => {
    const name = nodeName(index);
    const { id } = await ec2.addInstance({ zone: ZONE, type: instanceType, name });
    const labels = { [LABEL]: 'true' };
    await createNode(kube, { name, instanceID: id, zone: ZONE, instanceType, labels });
  });
}

function nodeName(index: number): string {
  return `node-${index}`;
}

function nodeENIName(index: number): string {
  return `bench-${index}`;
}

function indexes(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

async function inParallel(
  items: readonly number[],
  work: (item: number) => Promise<unknown>,
): Promise<void> {
  const limit = pLimit(PARALLEL_REQUESTS);
  await Promise.all(items.map((item) => limit(() => work(item))));
}
