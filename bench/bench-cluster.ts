import { ENIAttachment } from '../src/api/eni-attachment.js';
import { TAGS } from '../src/api/names.js';
import { NodeENI } from '../src/api/node-eni.js';
import { Informer } from '../src/runtime/cache/informer.js';
import type { Store } from '../src/runtime/cache/store.js';
import { systemClock } from '../src/runtime/clock.js';
import type { KubeClient } from '../src/runtime/kube/kube-client.js';
import type { KindClass, KubeObject } from '../src/runtime/kube/resource.js';
import type { Eni, SimulatorControl } from '../tools/ec2-simulator/index.js';
import { BaseStage } from '../tools/stage/base-stage.js';
import type { ControllerProcess } from '../tools/stage/controller-process.js';
import { silentLogger } from '../tools/stage/silent-logger.js';
import { StageParts } from '../tools/stage/stage-parts.js';
import { createNodeENIs, createNodes, deleteNodeENIs, unlabelNodes } from './bench-objects.js';
import { CONTROLLER_USER, REGION } from './conditions.js';
import type { MeasuredProgram } from './measured-program.js';
import { AuditLog } from './measures/kube-writes.js';
import type { Scenario } from './scenario.js';
import { startSimulator } from './simulator-process.js';

/** The control plane has no audit log to read: it is a cluster that was there before. */
export class NoAuditLogError extends Error {
  override readonly name = 'NoAuditLogError';

  constructor() {
    super('The benchmark needs a control plane of its own: unset USE_EXISTING_CLUSTER.');
  }
}

/** The cluster as long as it has no controller. */
export interface Surroundings {
  scenario: Scenario;
  ec2: SimulatorControl;
  kube: KubeClient;
}

export interface BenchClusterOptions extends MeasuredProgram {
  scenario: Scenario;
  /** The controller's settings, where they are not the defaults. */
  env?: Readonly<Record<string, string>>;
  /** Whether EC2 keeps to its request rates, quota and latencies. Default: true. */
  ec2Limits?: boolean;
  /** Creates what exists when the controller starts, beside the nodes. */
  beforeController?: (surroundings: Surroundings) => Promise<void>;
}

interface Run extends Surroundings {
  controller: ControllerProcess;
  controllerStartedAt: number;
  auditLog: AuditLog;
  nodeENIs: Store<NodeENI>;
  attachments: Store<ENIAttachment>;
}

/** A scenario's cluster: control plane, EC2 and the shipped controller, each a process of its own. */
export class BenchCluster extends BaseStage {
  private constructor(
    private readonly run: Run,
    parts: StageParts,
  ) {
    super(run.kube, parts);
  }

  /**
   * Resolves once the nodes are there and the controller's process runs; it may still be starting.
   * @throws NoAuditLogError; what a part that does not start throws
   */
  static async start(options: BenchClusterOptions): Promise<BenchCluster> {
    const { scenario, program, nodeFlags, env, ec2Limits = true, beforeController } = options;
    await using parts = new StageParts();
    const controlPlane = await parts.controlPlane({ auditLog: true });
    const { auditLogPath } = controlPlane;
    if (auditLogPath === undefined) {
      throw new NoAuditLogError();
    }
    const simulator = await startSimulator({ limits: ec2Limits });
    parts.defer(() => simulator.stop());
    const ec2 = simulator.control;

    const kube = parts.kube(controlPlane.kubeconfigPath, { userAgent: 'eni-operator-bench' });
    const watching = new AbortController();
    parts.defer(() => watching.abort());
    const [nodeENIs, attachments] = await Promise.all([
      storeOf(kube, NodeENI, watching.signal),
      storeOf(kube, ENIAttachment, watching.signal),
    ]);
    const surroundings: Surroundings = { scenario, ec2, kube };
    await createNodes(scenario, surroundings);
    await beforeController?.(surroundings);

    const kubeconfigPath = await controlPlane.kubeconfigFor({
      name: CONTROLLER_USER,
      groups: ['system:masters'],
    });
    const controllerStartedAt = systemClock.now();
    const controller = parts.controller({
      kubeconfigPath,
      ec2Url: ec2.url,
      region: REGION,
      nodeFlags,
      ...(program === undefined ? {} : { program }),
      ...(env === undefined ? {} : { env }),
    });
    const auditLog = new AuditLog(auditLogPath);
    return new BenchCluster(
      { ...surroundings, controller, controllerStartedAt, auditLog, nodeENIs, attachments },
      parts.move(),
    );
  }

  get ec2(): SimulatorControl {
    return this.run.ec2;
  }

  get controller(): ControllerProcess {
    return this.run.controller;
  }

  /** Milliseconds since the epoch. */
  get controllerStartedAt(): number {
    return this.run.controllerStartedAt;
  }

  get auditLog(): AuditLog {
    return this.run.auditLog;
  }

  /** As the API server has them. */
  get nodeENIs(): Store<NodeENI> {
    return this.run.nodeENIs;
  }

  /** As the API server has them. */
  get attachments(): Store<ENIAttachment> {
    return this.run.attachments;
  }

  /** The ENIs that the controller has made and EC2 has. */
  async managedEnis(): Promise<Eni[]> {
    const { enis } = await this.ec2.state();
    return enis.filter(({ tags }) => TAGS.attachmentUID in tags);
  }

  async createNodeENIs(): Promise<void> {
    await createNodeENIs(this.run.scenario, this.run.kube);
  }

  /** Takes the label from the first `count` nodes. */
  unlabel(count: number): Promise<void> {
    return unlabelNodes(count, this.run.kube);
  }

  deleteNodeENIs(): Promise<void> {
    return deleteNodeENIs(this.run.scenario, this.run.kube);
  }
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
    logger: silentLogger,
  });
  await informer.start(signal);
  return informer.store;
}
