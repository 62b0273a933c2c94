import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { goProgram } from '../../../../tools/go-program/go-program.js';
import { NetworkNamespace } from '../../../../tools/stage/host/network-namespace.js';
import { ECHO } from '../../../../tools/stage/host/vpc.js';

const PLUGINS = 'github.com/containernetworking/plugins/plugins';
const VERSION = 'v1.7.1';

/** The reference CNI plugins; their folders, as CNI_PATH. */
export interface CniPlugins {
  ptp: string;
  path: string;
}

/** Builds them, once on a machine. @throws GoProgramError */
export async function cniPlugins(): Promise<CniPlugins> {
  const ptp = await goProgram({ path: `${PLUGINS}/main/ptp`, version: VERSION });
  const hostLocal = await goProgram({ path: `${PLUGINS}/ipam/host-local`, version: VERSION });
  return { ptp, path: [ptp, hostLocal].map((program) => dirname(program)).join(':') };
}

export interface CniPodOptions {
  plugins: CniPlugins;
  /** The node's namespace. */
  host: NetworkNamespace;
  /** The configuration that the agent has written. */
  configuration: string;
  /** Where host-local keeps its state, in place of the machine's folder. */
  stateDir: string;
}

/** A pod: a namespace into which the plugin is called in the node's namespace, as a container runtime calls it. */
export class CniPod {
  private constructor(
    readonly namespace: NetworkNamespace,
    /** Of the network. */
    readonly address: string,
    private readonly options: CniPodOptions,
    private readonly dir: string,
  ) {}

  static async create(options: CniPodOptions): Promise<CniPod> {
    const namespace = await NetworkNamespace.create('pod');
    const dir = await mkdtemp(join(tmpdir(), 'cni-pod-'));
    const configuration = JSON.parse(await readFile(options.configuration, 'utf8'));
    configuration.ipam.dataDir = options.stateDir;
    await writeFile(join(dir, 'conf'), JSON.stringify(configuration));
    const pod = new CniPod(namespace, '', options, dir);
    const { ips } = JSON.parse(await pod.call('ADD')) as { ips: { address: string }[] };
    const address = ips[0]?.address.replace(/\/\d+$/, '') ?? '';
    return new CniPod(namespace, address, options, dir);
  }

  /** Answers whoever asks its address. */
  async serve(): Promise<void> {
    const echo = this.namespace.spawn(process.execPath, [ECHO, 'serve', this.address]);
    await new Promise((resolve) => echo.stdout.once('data', resolve));
  }

  async reaches(to: string, from = this.address): Promise<boolean> {
    const said = await this.namespace.exec(process.execPath, [ECHO, 'ask', from, to]);
    return said.trim() === 'answered';
  }

  /** Ends it as a container runtime does. */
  async delete(): Promise<void> {
    await this.call('DEL');
    await this.namespace.delete();
    await rm(this.dir, { recursive: true });
  }

  private call(command: 'ADD' | 'DEL'): Promise<string> {
    const { plugins, host } = this.options;
    const { name } = this.namespace;
    const env = `CNI_COMMAND=${command} CNI_CONTAINERID=${name} CNI_NETNS=/var/run/netns/${name} CNI_IFNAME=net1 CNI_PATH=${plugins.path}`;
    const run = `${env} ${plugins.ptp} < ${join(this.dir, 'conf')}`;
    // A plugin prints its error where it prints its result.
    const script = `out=$(${run}) && echo "$out" || { echo "$out" >&2; exit 1; }`;
    return host.exec('sh', ['-c', script]);
  }
}
