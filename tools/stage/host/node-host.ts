import type { Ec2Simulator } from '../../ec2-simulator/index.js';
import type { PodIdentity } from '../pod-identity.js';
import type { AgentProcess } from './agent-process.js';
import { type AgentOptions, BareHost, type BareHostOptions } from './bare-host.js';
import { EniCables } from './eni-cables.js';
import type { NetworkNamespace } from './network-namespace.js';
import type { Relay } from './relay.js';
import { ECHO, type Vpc } from './vpc.js';

export interface NodeHostOptions extends BareHostOptions {
  instanceId: string;
  ec2: Ec2Simulator;
  vpc: Vpc;
  /** Called with the reason when devices no longer follow EC2. Default: an unhandled rejection. */
  failed?: (error: unknown) => void;
}

/**
 * The host of an instance, as a network namespace: what the simulated EC2 attaches to the instance appears in
 * it as a device with the ENI's MAC address; what it detaches is gone.
 */
export class NodeHost {
  private constructor(
    private readonly host: BareHost,
    private readonly cables: EniCables,
    private readonly plugging: Promise<void>,
  ) {}

  static async create(options: NodeHostOptions): Promise<NodeHost> {
    const { failed } = options;
    const host = await BareHost.create(options);
    const cables = EniCables.create({ ...options, namespace: host.namespace });
    const plugging = cables.run();
    return new NodeHost(host, cables, failed ? plugging.catch(failed) : plugging);
  }

  get namespace(): NetworkNamespace {
    return this.host.namespace;
  }

  get relay(): Relay {
    return this.host.relay;
  }

  /** Where the API server is, as the host sees it. */
  get apiServer(): BareHost['apiServer'] {
    return this.host.apiServer;
  }

  /** Starts an agent as a pod that has that identity. */
  startAgent(identity: PodIdentity, options: AgentOptions = {}): AgentProcess {
    return this.host.startAgent(identity, options);
  }

  /** Whether a packet from one of its addresses to a host outside is answered. */
  async reaches(from: string, to: string): Promise<boolean> {
    const said = await this.namespace.exec(process.execPath, [ECHO, 'ask', from, to]);
    return said.trim() === 'answered';
  }

  /** Ends what still runs on it. */
  async delete(): Promise<void> {
    this.cables.stop();
    await this.plugging;
    await this.host.delete();
  }
}
