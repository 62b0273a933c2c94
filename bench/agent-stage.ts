import { type Clock, systemClock } from '../src/runtime/clock.js';
import type { KubeClient } from '../src/runtime/kube/kube-client.js';
import { BaseStage } from '../tools/stage/base-stage.js';
import { AGENT_USER, agentIdentity } from '../tools/stage/host/agent-identity.js';
import type { AgentProcess } from '../tools/stage/host/agent-process.js';
import { BareHost } from '../tools/stage/host/bare-host.js';
import { whyNoNamespaces } from '../tools/stage/host/network-namespace.js';
import { orAborted } from '../tools/stage/or-aborted.js';
import { StageParts } from '../tools/stage/stage-parts.js';
import { NODE_NAME } from './agent-attachments.js';
import { AgentCables } from './agent-cables.js';
import { type BenchDevice, MTU } from './agent-device.js';
import { AgentObserver } from './agent-observer.js';
import type { AgentCost } from './agent-result.js';
import { NoAuditLogError } from './bench-cluster.js';
import { endOf } from './component-end.js';
import type { MeasuredProgram } from './measured-program.js';
import { AuditLog, kubeWritesOf } from './measures/kube-writes.js';
import { type ProcessUsage, processUsage } from './measures/process-usage.js';

/** An agent's host is a network namespace, and there can be none. */
class NoNamespacesError extends Error {
  override readonly name = 'NoNamespacesError';

  constructor(reason: string) {
    super(`The node agent is measured in network namespaces: ${reason}`);
  }
}

export interface AgentStageOptions extends MeasuredProgram {
  /** The agent's settings, where they are not the defaults. */
  env: Readonly<Record<string, string>>;
  /** Ends the run. */
  signal: AbortSignal;
  clock?: Clock | undefined;
}

interface Run {
  agent: AgentProcess;
  cables: AgentCables;
  observer: AgentObserver;
  /** Aborts when the agent ends, or the run. */
  signal: AbortSignal;
  auditLog: AuditLog;
}

/** An API server, and a host with the shipped agent; there is no EC2. */
export class AgentStage extends BaseStage {
  private cpuSeconds = 0;

  private constructor(
    readonly run: Readonly<Run>,
    kube: KubeClient,
    parts: StageParts,
  ) {
    super(kube, parts);
  }

  /**
   * Resolves once the agent is at work.
   * @throws NoNamespacesError; NoAuditLogError; ComponentEndedError; the signal's reason
   */
  static async start(options: AgentStageOptions): Promise<AgentStage> {
    const { env, program, nodeFlags, clock = systemClock } = options;
    const why = await whyNoNamespaces();
    if (why !== undefined) throw new NoNamespacesError(why);
    await using parts = new StageParts();
    const { kubeconfigPath, auditLogPath } = await parts.controlPlane({ auditLog: true });
    if (auditLogPath === undefined) throw new NoAuditLogError();
    const kube = parts.kube(kubeconfigPath);

    const host = await BareHost.create({ nodeName: NODE_NAME, kubeconfigPath });
    parts.defer(() => host.delete());
    const cables = await AgentCables.create(host.namespace);
    parts.defer(() => cables.delete());
    const { namespace } = host;
    const observer = await AgentObserver.start({ ...options, namespace, mtu: MTU, clock });
    const identity = await agentIdentity({ kube, kubeconfigPath });
    parts.defer(() => identity.delete());

    const agent = host.startAgent(identity, { env, program, nodeFlags });
    parts.defer(() => agent.stop());
    const signal = AbortSignal.any([options.signal, endOf(agent, 'The agent')]);
    await orAborted(agent.started, signal);
    const auditLog = new AuditLog(auditLogPath);
    return new AgentStage({ agent, cables, observer, signal, auditLog }, kube, parts.move());
  }

  /**
   * Lets devices appear at once, each with a carrier.
   * @returns what each took until it was up with its MTU, in milliseconds
   * @throws DeviceNotSeenError; the signal's reason
   */
  appear(devices: readonly BenchDevice[]): Promise<number[]> {
    const { cables, observer } = this.run;
    cables.plugIn(devices);
    return Promise.all(
      devices.map(async (device) => {
        await observer.appearance(device.name);
        cables.connect(device);
        return observer.delay(device.name);
      }),
    );
  }

  /** What the agent holds now. */
  usage(): Promise<ProcessUsage> {
    return processUsage(this.run.agent.pid);
  }

  /** What the agent spent since the last call, or since its start; the next one counts from here. */
  async cost(): Promise<AgentCost> {
    const [lines, { cpuSeconds }] = await Promise.all([this.run.auditLog.newLines(), this.usage()]);
    const spent = cpuSeconds - this.cpuSeconds;
    this.cpuSeconds = cpuSeconds;
    return { cpuSeconds: spent, kubeWrites: kubeWritesOf(lines, AGENT_USER).total };
  }
}
