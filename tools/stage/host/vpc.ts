import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { NetworkNamespace } from './network-namespace.js';

/** What lies beyond every router, to see whether traffic gets there (RFC 5737, RFC 3849). */
export const OUTSIDE = { ipv4: '192.0.2.1', ipv6: '2001:db8:ffff::1' } as const;

/** Serves and asks for echoes. */
export const ECHO = fileURLToPath(new URL('./echo-main.js', import.meta.url));

/** An ENI's way into the VPC. */
export interface Port {
  /** Device in the VPC's namespace. */
  name: string;
  /** Of the ENI. */
  macAddress: string;
  /** The subnet's router. */
  router: string;
}

/**
 * The other end of all ENIs' cables: routers of subnets, and a host outside of all subnets. It responds only to
 * packets that arrive through the right cable.
 */
export class Vpc {
  private constructor(readonly namespace: NetworkNamespace) {}

  static async create(): Promise<Vpc> {
    const namespace = await NetworkNamespace.create('vpc');
    await namespace.ip('link set lo up');
    await namespace.exec('sh', ['-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward']);
    await namespace.ip(`addr add ${OUTSIDE.ipv4}/32 dev lo`);
    await namespace.ip(`addr add ${OUTSIDE.ipv6}/128 dev lo nodad`);
    const echo = namespace.spawn(process.execPath, [ECHO, 'serve', ...Object.values(OUTSIDE)]);
    const lines = createInterface(echo.stdout);
    let serving = 0;
    await new Promise<void>((resolve) => {
      lines.on('line', () => {
        serving += 1;
        if (serving === Object.keys(OUTSIDE).length) resolve();
      });
    });
    return new Vpc(namespace);
  }

  /** Serves a cable whose end is there already. Nothing passes until {@link assign} gives it addresses. */
  async serve({ name, router }: Port): Promise<void> {
    const { namespace } = this;
    await namespace.ip(`link set ${name} up`);
    await namespace.ip(`addr add ${router}/32 dev ${name}`);
    await namespace.ip(`addr add fe80:ec2::1/64 dev ${name} nodad`);
    // As EC2 does: it answers ARP for the whole VPC, and drops what has a source that the ENI does not have.
    for (const [setting, value] of [
      [`${name}/proxy_arp`, 1],
      [`${name}/proxy_delay`, 0],
      [`${name}/rp_filter`, 1],
    ] as const) {
      const [device, file] = setting.split('/');
      const root = file === 'proxy_delay' ? 'neigh' : 'conf';
      await namespace.exec('sh', [
        '-c',
        `echo ${value} > /proc/sys/net/ipv4/${root}/${device}/${file}`,
      ]);
    }
  }

  /** Lets packets of an address or a prefix pass through the port, both ways. */
  async assign(address: string, { name, macAddress }: Port): Promise<void> {
    const { namespace } = this;
    await namespace.ip(`route replace ${destinationOf(address)} dev ${name}`);
    // EC2 delivers by the ENI's MAC address: it asks no host for it.
    for (const each of ipv4AddressesOf(address)) {
      await namespace.ip(`neigh replace ${each} lladdr ${macAddress} dev ${name} nud permanent`);
    }
  }

  /** From now on it drops the packets of that address or prefix. */
  async unassign(address: string, { name }: Port): Promise<void> {
    await this.namespace.ip(`route del ${destinationOf(address)} dev ${name}`);
  }

  /** How many packets it has dropped so far because their ENI does not have the address that they come from. */
  async dropped(): Promise<number> {
    const lines = (await this.namespace.exec('cat', ['/proc/net/netstat'])).split('\n');
    const [names = [], counts = []] = lines
      .filter((line) => line.startsWith('TcpExt:'))
      .map((line) => line.split(' '));
    return Number(counts[names.indexOf('IPReversePathFilter')]);
  }

  async delete(): Promise<void> {
    await this.namespace.delete();
  }
}

function destinationOf(address: string): string {
  const length = address.includes(':') ? 128 : 32;
  return address.includes('/') ? address : `${address}/${length}`;
}

/** A single IPv4 address, or those of a prefix, a /28. */
function ipv4AddressesOf(address: string): string[] {
  if (address.includes(':')) return [];
  const [, network = '', last = ''] = /^(\d+\.\d+\.\d+)\.(\d+)\/28$/.exec(address) ?? [];
  return network === ''
    ? [address]
    : Array.from({ length: 16 }, (_, index) => `${network}.${Number(last) + index}`);
}
