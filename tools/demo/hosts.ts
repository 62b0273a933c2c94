import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ec2Simulator } from '../ec2-simulator/index.js';
import { TemporaryDirectory } from '../envtest/temporary-directory.js';
import { agentIdentity } from '../stage/host/agent-identity.js';
import { NodeHost } from '../stage/host/node-host.js';
import { Vpc } from '../stage/host/vpc.js';
import { Component } from './component.js';
import type { Kubernetes } from './kubernetes.js';
import type { LastLines } from './last-lines.js';
import type { Lifeline } from './lifeline.js';

export interface HostsOptions {
  cluster: Kubernetes;
  ec2: Ec2Simulator;
  /** Ids of the nodes' instances. */
  instances: ReadonlyMap<string, string>;
  /** Fails when an agent ends, or when a host can no longer follow EC2. */
  lifeline: Lifeline;
  logs: LastLines;
}

/** A node: its host, and the two folders that the agent and the pods' programs share. */
export interface DemoHost {
  host: NodeHost;
  /** Where Multus reads configurations: what a node has as /etc/cni/multus/net.d. */
  configurationDir: string;
  /** Where host-local stores addresses: what a node has as /var/lib/cni/networks. */
  stateDir: string;
}

/** The nodes' hosts, each a network namespace with an agent, and the VPC that they are plugged into. */
export class Hosts implements AsyncDisposable {
  private constructor(
    private readonly byNode: ReadonlyMap<string, DemoHost>,
    /** What all of them are plugged into. */
    readonly vpc: Vpc,
    private readonly options: HostsOptions,
    private readonly undo: AsyncDisposableStack,
  ) {}

  /**
   * Resolves once all agents are at work.
   * @throws the lifeline's reason; NamespaceCommandError
   */
  static async start(options: HostsOptions): Promise<Hosts> {
    const { cluster, ec2, instances, lifeline, logs } = options;
    const { kube, kubeconfigPath } = cluster;
    await using undo = new AsyncDisposableStack();
    const identity = await agentIdentity({ kube, kubeconfigPath });
    undo.defer(() => identity.delete());
    const vpc = await Vpc.create();
    undo.defer(() => vpc.delete());
    const folder = await TemporaryDirectory.create('eni-nodes-');
    undo.defer(() => folder.remove());

    const hosts = new Map<string, DemoHost>();
    const agents: Component[] = [];
    undo.defer(async () => {
      await Promise.all(agents.map((agent) => agent[Symbol.asyncDispose]()));
      await Promise.all([...hosts.values()].map(({ host }) => host.delete()));
    });
    const failed = (error: unknown): void => lifeline.fail(error);
    for (const [nodeName, instanceId] of instances) {
      lifeline.signal.throwIfAborted();
      const place = { nodeName, instanceId, ec2, vpc, kubeconfigPath };
      const host = await NodeHost.create({ ...place, failed });
      const configurationDir = join(folder.path, nodeName, 'net.d');
      const stateDir = join(folder.path, nodeName, 'networks');
      for (const dir of [configurationDir, stateDir]) await mkdir(dir, { recursive: true });
      hosts.set(nodeName, { host, configurationDir, stateDir });
      const name = `The agent of ${nodeName}`;
      const env = { MULTUS_CONF_DIR: configurationDir, CNI_STATE_DIR: stateDir };
      const start = (onLine: (line: string) => void) => host.startAgent(identity, { onLine, env });
      agents.push(Component.start({ name, start, lifeline, onLine: logs.of(name) }));
    }
    for (const agent of agents) await agent.untilStarted();
    return new Hosts(hosts, vpc, options, undo.move());
  }

  /** @throws RangeError where there is no such node */
  of(node: string): DemoHost {
    const host = this.byNode.get(node);
    if (!host) throw new RangeError(`There is no node ${node}`);
    return host;
  }

  /** The first address of the ENI that was attached to the node; empty while there is none. */
  addressOn(node: string): string {
    const { ec2, instances } = this.options;
    const given = ec2.state.enis.find(
      ({ attachment }) =>
        attachment?.instanceId === instances.get(node) && attachment?.deviceIndex !== 0,
    );
    return given?.privateIpAddresses[0] ?? '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.undo.disposeAsync();
  }
}
