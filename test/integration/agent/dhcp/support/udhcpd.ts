import { type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { NetworkNamespace } from '../../../../support/namespaces.js';

const run = promisify(execFile);

export interface UdhcpdOptions {
  namespace: NetworkNamespace;
  /** The device that it serves. */
  device: string;
  macAddress: string;
  /** What it gives to the MAC address. */
  address: string;
  leaseSeconds: number;
  mtu: number;
}

/** BusyBox's DHCP server, as a process in a namespace. */
export class Udhcpd {
  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
  ) {}

  static async start({ namespace, device, ...lease }: UdhcpdOptions): Promise<Udhcpd> {
    const folder = await mkdtemp(join(tmpdir(), 'udhcpd-'));
    const config = join(folder, 'udhcpd.conf');
    const lines = [
      `interface ${device}`,
      'start 10.0.1.100',
      'end 10.0.1.120',
      `static_lease ${lease.macAddress} ${lease.address}`,
      `option lease ${lease.leaseSeconds}`,
      'min_lease 1',
      'option subnet 255.255.255.0',
      `option mtu ${lease.mtu}`,
      `lease_file ${join(folder, 'leases')}`,
      `pidfile ${join(folder, 'pid')}`,
    ];
    await writeFile(config, `${lines.join('\n')}\n`);
    await writeFile(join(folder, 'leases'), '');
    // It reports each answer on its standard error.
    const command = ['-c', 'exec busybox udhcpd -f "$0" 2>/dev/null', config];
    return new Udhcpd(namespace.spawn('sh', command), folder);
  }

  /** Can be repeated. */
  async stop(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const exited = once(this.process, 'exit');
    this.process.kill();
    await exited;
    await rm(this.folder, { recursive: true });
  }
}

/** For a `before` of tests that need the server: skips them where it is missing, and says why. */
export async function needUdhcpd(context: Mocha.Context): Promise<void> {
  try {
    const { stdout } = await run('busybox', ['--list']);
    if (stdout.split('\n').includes('udhcpd')) return;
    console.log('      skipped: the BusyBox of this machine has no udhcpd');
  } catch {
    console.log('      skipped: this machine has no BusyBox (apt-get install busybox)');
  }
  context.skip();
}
