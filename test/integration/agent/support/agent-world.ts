import type { AgentProcess } from '../../../../tools/stage/host/agent-process.js';
import { NodeHost } from '../../../../tools/stage/host/node-host.js';
import { Vpc } from '../../../../tools/stage/host/vpc.js';
import type { PodIdentity } from '../../../../tools/stage/pod-identity.js';
import { Stage } from '../../../support/stage.js';

export interface AgentNode {
  name: string;
  labels: Record<string, string>;
  /** Settings of its agent. */
  env?: Record<string, string>;
}

/** A stage whose controller waits for agents, and the VPC of the hosts on which they run. */
export class AgentWorld {
  private constructor(
    readonly stage: Stage,
    readonly vpc: Vpc,
    private readonly identity: PodIdentity,
  ) {}

  static async open(): Promise<AgentWorld> {
    const stage = await Stage.open({ transition: { attach: 100, detach: 100 } });
    stage.start({ WAIT_FOR_AGENT: 'true', RESYNC_PERIOD: '1s' });
    return new AgentWorld(stage, await Vpc.create(), await stage.administrator());
  }

  /** Adds a node, its host and an agent on it. You stop the agent and delete the host. */
  async addNode({
    name,
    labels,
    env,
  }: AgentNode): Promise<{ host: NodeHost; agent: AgentProcess }> {
    const { stage, vpc } = this;
    const instanceId = await stage.addNode(name, { labels, type: 'm5.4xlarge' });
    const { ec2, kubeconfigPath } = stage;
    const host = await NodeHost.create({ nodeName: name, instanceId, ec2, vpc, kubeconfigPath });
    return { host, agent: this.startAgent(host, env) };
  }

  startAgent(host: NodeHost, env: Record<string, string> = {}): AgentProcess {
    return host.startAgent(this.identity, { env });
  }

  async close(): Promise<void> {
    await this.vpc.delete();
    await this.identity.delete();
    await this.stage.close();
  }
}
