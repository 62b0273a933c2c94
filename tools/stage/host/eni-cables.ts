import { setTimeout as sleep } from 'node:timers/promises';
import type { Ec2Simulator, Eni } from '../../ec2-simulator/index.js';
import type { NetworkNamespace } from './network-namespace.js';
import type { Vpc } from './vpc.js';

export interface EniCablesOptions {
  instanceId: string;
  ec2: Ec2Simulator;
  vpc: Vpc;
  /** The instance's host. */
  namespace: NetworkNamespace;
}

/** Between two looks at what EC2 has attached, in milliseconds. */
const LOOK_MS = 20;

/**
 * Keeps an instance's host in step with EC2: what is attached appears as a device with the ENI's MAC address,
 * first as ethN, then renamed, as udev does it; what is detached is gone.
 */
export class EniCables {
  private readonly devices = new Map<string, string>();
  private readonly stopping = new AbortController();

  private constructor(private readonly options: EniCablesOptions) {}

  static create(options: EniCablesOptions): EniCables {
    return new EniCables(options);
  }

  /** Resolves once stopped. @throws NamespaceCommandError */
  async run(): Promise<void> {
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

  /** Leaves what is plugged in as it is. */
  stop(): void {
    this.stopping.abort();
  }

  private attachedEnis(): Eni[] {
    const { ec2, instanceId } = this.options;
    return ec2.state.enis.filter(
      ({ attachment }) => attachment?.instanceId === instanceId && attachment.deviceIndex > 0,
    );
  }

  private async plugIn(eni: Eni): Promise<void> {
    const { ec2, vpc, namespace } = this.options;
    const index = eni.attachment?.deviceIndex ?? 0;
    const port = `v${eni.id.slice(-12)}`;
    const end = `type veth peer name ${port} netns ${vpc.namespace.name}`;
    await namespace.ip(`link add eth${index} address ${eni.macAddress} ${end}`);
    const device = `ens${5 + index}`;
    this.devices.set(eni.id, device);
    await namespace.ip(`link set eth${index} name ${device}`).catch(() => {
      // A device that is up already keeps its name on older kernels.
      this.devices.set(eni.id, `eth${index}`);
    });
    const subnet = ec2.state.subnets.find(({ id }) => id === eni.subnetId);
    const [network = ''] = subnet?.cidr?.split('/') ?? [];
    const router = network.replace(/\d+$/, (last) => String(Number(last) + 1));
    const { macAddress } = eni;
    await vpc.serve({ name: port, macAddress, router, addresses: addressesOf(eni) });
  }

  private async plugOut(id: string, device: string): Promise<void> {
    this.devices.delete(id);
    await this.options.namespace.ip(`link del ${device}`);
  }
}

function addressesOf(eni: Eni): string[] {
  return [...eni.privateIpAddresses, ...eni.ipv4Prefixes, ...eni.ipv6Addresses];
}
