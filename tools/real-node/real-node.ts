import { access, cp, mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Ec2Simulator } from '../ec2-simulator/index.js';
import { SupervisedProcess } from '../envtest/supervised-process.js';
import { EniCables } from '../stage/host/eni-cables.js';
import type { NetworkNamespace } from '../stage/host/network-namespace.js';
import type { Vpc } from '../stage/host/vpc.js';
import { makeCgroup } from './cgroups.js';
import { run } from './command.js';
import type { NodeCredentials } from './control-plane.js';
import type { Images } from './images.js';
import { LogFile } from './log-file.js';
import { Machine } from './machine.js';
import type { NodeBinaries } from './node-binaries.js';
import { type NodeFiles, writeNodeFiles } from './node-files.js';
import { BRIDGE, CONTROL_PLANE_ADDRESS, type NodePlace } from './topology.js';

export interface RealNodeOptions {
  place: NodePlace;
  credentials: NodeCredentials;
  binaries: NodeBinaries;
  images: Images;
  ec2: Ec2Simulator;
  vpc: Vpc;
  /** Its disk, its programs' files and logs. */
  dir: string;
  /** cgroup of its pods; that which it is in exists. */
  cgroup: string;
}

/** What kubelet registers the node with. */
export interface RegistrationOptions {
  /** `KEY:EFFECT`. */
  taint?: string;
  /** `KEY=VALUE`. */
  label?: string;
}

/** A node's programs, while it is up. */
interface Running {
  machine: Machine;
  cables: EniCables;
  plugging: Promise<void>;
  containerd: SupervisedProcess;
  kubelet: SupervisedProcess;
  proxy: SupervisedProcess;
}

const START_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 20_000;
const KUBELET_PORT = 10250;

/** A node with containerd, kubelet and kube-proxy, whose further ENIs are plugged in as EC2 attaches them. */
export class RealNode {
  private running: Running | undefined;

  private constructor(
    private readonly options: RealNodeOptions,
    private readonly files: NodeFiles,
  ) {}

  /** Starts it; resolves once its programs run. kubelet registers it soon after. @throws ProcessStartError */
  static async start(
    options: RealNodeOptions,
    registration: RegistrationOptions = {},
  ): Promise<RealNode> {
    const { place, credentials, dir, cgroup } = options;
    await mkdir(dir, { recursive: true });
    await makeCgroup(cgroup);
    const files = await writeNodeFiles({ place, dir, cgroup, ...credentials });
    const node = new RealNode(options, files);
    await node.powerOn(registration);
    return node;
  }

  get name(): string {
    return this.options.place.name;
  }

  get place(): NodePlace {
    return this.options.place;
  }

  /** Where its devices are. */
  get namespace(): NetworkNamespace {
    return this.up.machine.namespace;
  }

  /** Runs a command on it. @returns what it printed @throws CommandError */
  exec(command: string, ...args: string[]): Promise<string> {
    return this.up.machine.exec(command, ...args);
  }

  /** Runs containerd's command in the namespace of Kubernetes' containers. @throws CommandError */
  ctr(...args: string[]): Promise<string> {
    return this.exec('ctr', '--namespace=k8s.io', ...args);
  }

  /** Ends everything on it at once, as a power failure does. */
  async powerOff(): Promise<void> {
    const { running } = this;
    if (!running) return;
    this.running = undefined;
    running.cables.stop();
    await running.plugging.catch(() => undefined);
    await running.machine.powerOff();
  }

  /** Starts it, with the disk that it had before. */
  async powerOn(registration: RegistrationOptions = {}): Promise<void> {
    const { place, ec2, vpc, dir } = this.options;
    // Before the overlay is mounted: what is written below one later may not be seen.
    await cp(this.files.cni, join(dir, 'disk/etc/upper/cni/net.d/10-ptp.conflist'));
    const machine = await Machine.boot({ name: place.name, dir: join(dir, 'disk') });
    await connectToNodes(machine, place);
    const { namespace } = machine;
    const cables = EniCables.create({ instanceId: place.instanceId, ec2, vpc, namespace });
    const plugging = cables.run();
    plugging.catch(() => undefined);
    const containerd = await this.startContainerd(machine);
    await this.importImages(machine);
    const [kubelet, proxy] = await Promise.all([
      this.startKubelet(machine, registration),
      this.startProxy(machine),
    ]);
    this.running = { machine, cables, plugging, containerd, kubelet, proxy };
  }

  private get up(): Running {
    if (!this.running) throw new Error(`${this.name} is powered off`);
    return this.running;
  }

  private startContainerd(machine: Machine): Promise<SupervisedProcess> {
    return this.start(machine, {
      name: 'containerd',
      command: 'containerd',
      args: ['--config', this.files.containerd],
      isHealthy: async () => {
        await machine.exec('ctr', 'version');
        return true;
      },
    });
  }

  private startKubelet(
    machine: Machine,
    { taint, label }: RegistrationOptions,
  ): Promise<SupervisedProcess> {
    const { place, binaries } = this.options;
    const { name, zone, instanceId, instanceType, address } = place;
    const labels = {
      'topology.kubernetes.io/zone': zone,
      'topology.kubernetes.io/region': zone.slice(0, -1),
      'node.kubernetes.io/instance-type': instanceType,
    };
    const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
    if (label) pairs.push(label);
    return this.start(machine, {
      name: 'kubelet',
      command: binaries.kubelet,
      args: [
        `--config=${this.files.kubelet}`,
        `--kubeconfig=${this.files.kubeletKubeconfig}`,
        `--cert-dir=${this.files.certificates}`,
        `--hostname-override=${name}`,
        `--node-ip=${address}`,
        `--provider-id=aws:///${zone}/${instanceId}`,
        `--node-labels=${pairs.join(',')}`,
        ...(taint ? [`--register-with-taints=${taint.replace(':', '=:')}`] : []),
        '--v=2',
      ],
      isHealthy: () => listens(address, KUBELET_PORT),
    });
  }

  private startProxy(machine: Machine): Promise<SupervisedProcess> {
    const { place, binaries } = this.options;
    return this.start(machine, {
      name: 'kube-proxy',
      command: binaries['kube-proxy'],
      args: [`--config=${this.files.proxy}`, `--hostname-override=${place.name}`],
      isHealthy: async (signal) => {
        const { ok } = await fetch(`http://${place.address}:10256/livez`, { signal });
        return ok;
      },
    });
  }

  private start(
    machine: Machine,
    program: {
      name: string;
      command: string;
      args: string[];
      isHealthy: (signal: AbortSignal) => Promise<boolean>;
    },
  ): Promise<SupervisedProcess> {
    return SupervisedProcess.start({
      ...program,
      launcher: machine.launcher,
      startTimeoutMs: START_TIMEOUT_MS,
      stopTimeoutMs: STOP_TIMEOUT_MS,
      onLine: LogFile.lines(this.options.dir, program.name),
    });
  }

  private async importImages(machine: Machine): Promise<void> {
    const { images, dir } = this.options;
    const done = join(dir, 'disk', 'images');
    const imported = await access(done).then(
      () => true,
      () => false,
    );
    if (imported) return;
    for (const archive of Object.values(images)) {
      await machine.exec('ctr', '--namespace=k8s.io', 'images', 'import', archive);
    }
    await mkdir(done);
  }
}

/** Plugs its first ENI into the network of all nodes. */
async function connectToNodes({ namespace }: Machine, place: NodePlace): Promise<void> {
  const { name, address, podCidr } = place;
  const port = `to-${name}`;
  const end = `type veth peer name eth0 netns ${namespace.name}`;
  await run('ip', `link add ${port} ${end}`.split(' '));
  await run('ip', `link set ${port} master ${BRIDGE} up`.split(' '));
  // By the kernel's name for it on EC2.
  await namespace.ip('link set eth0 name ens5');
  await namespace.ip(`addr add ${address}/24 dev ens5`);
  await namespace.ip('link set ens5 up');
  await namespace.ip(`route add default via ${CONTROL_PLANE_ADDRESS}`);
  await namespace.exec('sysctl', ['-qw', 'net.ipv4.ip_forward=1']);
  await run('ip', `route replace ${podCidr} via ${address}`.split(' '));
}

function listens(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    const end = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', end(true)).once('error', end(false));
  });
}
