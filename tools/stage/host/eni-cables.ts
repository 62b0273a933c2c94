import { setTimeout as sleep } from 'node:timers/promises';
import type { Ec2Simulator, Eni } from '../../ec2-simulator/index.js';
import type { NetworkNamespace } from './network-namespace.js';
import type { Port, Vpc } from './vpc.js';

export interface EniCablesOptions {
  instanceId: string;
  ec2: Ec2Simulator;
  vpc: Vpc;
  /** The instance's host. */
  namespace: NetworkNamespace;
}

/** What is plugged in. */
interface Cable {
  /** On the host. */
  device: string;
  port: Port;
  /** Those that the VPC lets pass. */
  addresses: Set<string>;
}

/** Between two looks at what EC2 has attached, in milliseconds. */
const LOOK_MS = 20;

/**
 * Keeps an instance's host in step with EC2: what is attached appears as a device with the ENI's MAC address,
 * first as ethN, then renamed, as udev does it; what is detached is gone. The VPC lets only packets of the ENI's
 * addresses pass.
 */
export class EniCables {
  /** By ids of ENIs. */
  private readonly cables = new Map<string, Cable>();
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
        const cable = this.cables.get(eni.id) ?? (await this.plugIn(eni));
        await this.assign(addressesOf(eni), cable);
      }
      const ids = new Set(attached.map(({ id }) => id));
      for (const [id, { device }] of this.cables) {
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

  private async plugIn({ id, macAddress, attachment, subnetId }: Eni): Promise<Cable> {
    const { ec2, vpc, namespace } = this.options;
    const index = attachment?.deviceIndex ?? 0;
    const name = `v${id.slice(-12)}`;
    const end = `type veth peer name ${name} netns ${vpc.namespace.name}`;
    await namespace.ip(`link add eth${index} address ${macAddress} ${end}`);
    const subnet = ec2.state.subnets.find((each) => each.id === subnetId);
    const [network = ''] = subnet?.cidr?.split('/') ?? [];
    const router = network.replace(/\d+$/, (last) => String(Number(last) + 1));
    const cable: Cable = {
      device: `ens${5 + index}`,
      port: { name, macAddress, router },
      addresses: new Set(),
    };
    this.cables.set(id, cable);
    await namespace.ip(`link set eth${index} name ${cable.device}`).catch(() => {
      // A device that is up already keeps its name on older kernels.
      cable.device = `eth${index}`;
    });
    await vpc.serve(cable.port);
    return cable;
  }

  private async assign(current: readonly string[], { port, addresses }: Cable): Promise<void> {
    const { vpc } = this.options;
    for (const address of current) {
      if (addresses.has(address)) continue;
      await vpc.assign(address, port);
      addresses.add(address);
    }
    for (const address of addresses) {
      if (current.includes(address)) continue;
      await vpc.unassign(address, port);
      addresses.delete(address);
    }
  }

  private async plugOut(id: string, device: string): Promise<void> {
    this.cables.delete(id);
    await this.options.namespace.ip(`link del ${device}`);
  }
}

function addressesOf(eni: Eni): string[] {
  return [...eni.privateIpAddresses, ...eni.ipv4Prefixes, ...eni.ipv6Addresses];
}
