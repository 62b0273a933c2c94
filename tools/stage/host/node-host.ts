import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Ec2Simulator, Eni } from '../../ec2-simulator/index.js';
import type { PodIdentity } from '../pod-identity.js';
import { AgentProcess, type AgentProcessOptions } from './agent-process.js';
import { NetworkNamespace } from './network-namespace.js';
import { Relay } from './relay.js';
import { ECHO, type Vpc } from './vpc.js';

export interface NodeHostOptions {
  /** Name of the Node. */
  nodeName: string;
  instanceId: string;
  ec2: Ec2Simulator;
  vpc: Vpc;
  /** Of the API server, as this machine reaches it. */
  kubeconfigPath: string;
}

export type AgentOptions = Partial<Pick<AgentProcessOptions, 'env' | 'onLine' | 'program'>>;

/** Between two looks at what EC2 has attached, in milliseconds. */
const LOOK_MS = 20;
const RELAY = fileURLToPath(new URL('relay-main.js', import.meta.url));

/**
 * The host of an instance, as a network namespace: what the simulated EC2 attaches to the instance appears in
 * it as a device with the ENI's MAC address, first as ethN, then renamed, as udev does it; what it detaches is
 * gone.
 */
export class NodeHost {
  private readonly devices = new Map<string, string>();
  private readonly stopping = new AbortController();
  private plugging: Promise<void> = Promise.resolve();

  private constructor(
    private readonly options: NodeHostOptions,
    readonly namespace: NetworkNamespace,
    readonly relay: Relay,
    private readonly relayProcess: ReturnType<NetworkNamespace['spawn']>,
    /** Where the API server is, as the host sees it. */
    private readonly apiServer: { host: string; port: number },
  ) {}

  static async create(options: NodeHostOptions): Promise<NodeHost> {
    const namespace = await NetworkNamespace.create('node');
    await namespace.ip('link set lo up');
    const kubeconfig = await readFile(options.kubeconfigPath, 'utf8');
    const [server = ''] = /https:\/\/[^\s"']+/.exec(kubeconfig) ?? [];
    const { hostname, port } = new URL(server);
    const relay = await Relay.to(hostname, Number(port));
    const process_ = namespace.spawn(process.execPath, [RELAY, relay.socketPath]);
    const [line] = (await once(createInterface(process_.stdout), 'line')) as [string];
    const apiServer = { host: '127.0.0.1', port: Number(line) };
    const host = new NodeHost(options, namespace, relay, process_, apiServer);
    host.plugging = host.plug();
    return host;
  }

  /** Starts an agent as a pod that has that identity. */
  startAgent(identity: PodIdentity, { env, ...options }: AgentOptions = {}): AgentProcess {
    const { namespace, apiServer } = this;
    return AgentProcess.start({
      namespace,
      nodeName: this.options.nodeName,
      env: { ...identity.env(apiServer), ...env },
      ...options,
    });
  }

  /** Whether a packet from one of its addresses to somebody outside is answered. */
  async reaches(from: string, to: string): Promise<boolean> {
    const said = await this.namespace.exec(process.execPath, [ECHO, 'ask', from, to]);
    return said.trim() === 'answered';
  }

  async delete(): Promise<void> {
    this.stopping.abort();
    await this.plugging;
    this.relayProcess.stdin.end();
    await once(this.relayProcess, 'exit');
    await this.relay.close();
    await this.namespace.delete();
  }

  private async plug(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const attached = this.attachedEnis();
      for (const eni of attached) {
        if (!this.devices.has(eni.id)) await this.plugIn(eni);
      }
      const ids = new Set(attached.map(({ id }) => id));
      for (const [id, device] of this.devices) {
        if (!ids.has(id)) await this.plugOut(id, device);
      }
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  private attachedEnis(): Eni[] {
    const { ec2, instanceId } = this.options;
    return ec2.state.enis.filter(
      ({ attachment }) => attachment?.instanceId === instanceId && attachment.deviceIndex > 0,
    );
  }

  private async plugIn(eni: Eni): Promise<void> {
    const { ec2, vpc } = this.options;
    const index = eni.attachment?.deviceIndex ?? 0;
    const port = `v${eni.id.slice(-12)}`;
    const { namespace } = this;
    const end = `type veth peer name ${port} netns ${vpc.namespace.name}`;
    await namespace.ip(`link add eth${index} address ${eni.macAddress} ${end}`);
    const device = `ens${5 + index}`;
    this.devices.set(eni.id, device);
    await namespace.ip(`link set eth${index} name ${device}`).catch(async () => {
      // A device that is up already keeps its name on older kernels.
      this.devices.set(eni.id, `eth${index}`);
    });
    const subnet = ec2.state.subnets.find(({ id }) => id === eni.subnetId);
    const [network = ''] = subnet?.cidr.split('/') ?? [];
    const router = network.replace(/\d+$/, (last) => String(Number(last) + 1));
    await vpc.serve({ name: port, router, addresses: addressesOf(eni) });
  }

  private async plugOut(id: string, device: string): Promise<void> {
    this.devices.delete(id);
    await this.namespace.ip(`link del ${device}`);
  }
}

function addressesOf(eni: Eni): string[] {
  return [...eni.privateIpAddresses, ...eni.ipv6Addresses];
}
