import { writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import type { KubeClient } from '../../src/runtime/kube/kube-client.js';
import type { Ec2Simulator } from '../ec2-simulator/index.js';
import { BaseStage } from '../stage/base-stage.js';
import { joinSockets } from '../stage/host/relay.js';
import { Vpc } from '../stage/host/vpc.js';
import { StageParts } from '../stage/stage-parts.js';
import { makeCgroup, removeCgroup } from './cgroups.js';
import { run } from './command.js';
import { ClusterControlPlane } from './control-plane.js';
import type { OlderState } from './older-state.js';
import type { Artifacts } from './prepare.js';
import { RealNode, type RegistrationOptions } from './real-node.js';
import { BRIDGE, CONTROL_PLANE_ADDRESS, EC2_PORT, nodePlace } from './topology.js';

export interface RealClusterOptions {
  artifacts: Artifacts;
  /** How many nodes it has at first. */
  nodes: number;
  /** Files of all its programs, and its nodes' disks. */
  dir: string;
  /** Name of a cgroup, made if missing, for those of the nodes. */
  cgroup: string;
}

interface Parts {
  options: RealClusterOptions;
  controlPlane: ClusterControlPlane;
  ec2: Ec2Simulator;
  vpc: Vpc;
}

const REGION = 'us-west-2';
/** As long as EC2 takes for them, in milliseconds. */
const LATENCY = {
  CreateNetworkInterface: 300,
  AttachNetworkInterface: 800,
  DetachNetworkInterface: 800,
};
const TRANSITION = { attach: 1_500, detach: 1_500 };

/**
 * A Kubernetes cluster with kubelets, and a simulated EC2 that its nodes are instances of. It needs a network and
 * mount namespace of its own (runIsolated): it makes devices and mounts, and leaves it to the namespaces' end to
 * take them away.
 */
export class RealCluster extends BaseStage {
  readonly nodes: RealNode[] = [];

  private constructor(
    kube: KubeClient,
    parts: StageParts,
    private readonly own: Parts,
  ) {
    super(kube, parts);
  }

  /** Resolves once all nodes are Ready. @throws ProcessStartError, CommandError */
  static async start(options: RealClusterOptions): Promise<RealCluster> {
    const { artifacts, nodes, dir, cgroup } = options;
    await using parts = new StageParts();
    await makeCgroup(cgroup);
    parts.defer(() => removeCgroup(cgroup));
    await makeNetwork();
    const controlPlane = await ClusterControlPlane.start({
      assets: artifacts.controlPlane,
      binaries: artifacts.binaries,
      dir: join(dir, 'control-plane'),
    });
    parts.defer(() => controlPlane.stop());
    const ec2 = await parts.ec2({ region: REGION, callLatency: LATENCY, transition: TRANSITION });
    const door = await openDoor(ec2.url);
    parts.defer(() => door.close());
    const vpc = await Vpc.create();
    parts.defer(() => vpc.delete());
    const kube = parts.kube(controlPlane.kubeconfigPath);
    const own = { options, controlPlane, ec2, vpc };
    const cluster = new RealCluster(kube, parts.move(), own);
    const numbers = Array.from({ length: nodes }, (_, index) => index + 1);
    await Promise.all(numbers.map((number) => cluster.addNode(number)));
    return cluster;
  }

  get ec2(): Ec2Simulator {
    return this.own.ec2;
  }

  /** The project as it was. */
  get older(): OlderState | undefined {
    return this.own.options.artifacts.older;
  }

  get controlPlane(): ClusterControlPlane {
    return this.own.controlPlane;
  }

  /** For commands that users type: kubectl and make find the cluster by it. */
  get env(): Record<string, string | undefined> {
    const { binaries } = this.own.options.artifacts;
    return {
      ...process.env,
      PATH: `${binaries.dir}:${process.env.PATH}`,
      KUBECONFIG: this.controlPlane.kubeconfigPath,
    };
  }

  /** The node of that name. */
  node(name: string): RealNode {
    const node = this.nodes.find((each) => each.name === name);
    if (!node) throw new Error(`There is no node ${name}`);
    return node;
  }

  /** Launches an instance and starts a node on it. @param instanceId unset: one that the number decides */
  async addNode(
    number: number,
    { instanceId, ...registration }: RegistrationOptions & { instanceId?: string } = {},
  ): Promise<RealNode> {
    const { options, controlPlane, ec2, vpc } = this.own;
    const place = nodePlace(number, instanceId);
    const { zone, instanceType: type, name } = place;
    ec2.addInstance({ id: place.instanceId, zone, type, name });
    const node = await RealNode.start(
      {
        place,
        credentials: await controlPlane.nodeCredentials(place),
        binaries: options.artifacts.binaries,
        images: options.artifacts.images,
        ec2,
        vpc,
        dir: join(options.dir, `${name}-${place.instanceId}`),
        cgroup: `${options.cgroup}/${name}`,
      },
      registration,
    );
    this.nodes.push(node);
    this.parts.defer(() => node.powerOff());
    return node;
  }

  /** Powers a node off for good; its instance and its Node object stay as they are. */
  async removeNode(node: RealNode): Promise<void> {
    await node.powerOff();
    this.nodes.splice(this.nodes.indexOf(node), 1);
  }

  /** Runs kubectl as a user who may do everything. @returns what it printed @throws CommandError */
  kubectl(...args: string[]): Promise<string> {
    return run('kubectl', args, { env: this.env });
  }

  /** Applies manifests, YAML, as `kubectl apply` does. @throws CommandError */
  async applyText(manifests: string): Promise<void> {
    const file = join(this.own.options.dir, 'manifests.yaml');
    await writeFile(file, manifests);
    await this.kubectl('apply', '--filename', file);
  }

  /** Runs make in the project's root. @returns what it printed @throws CommandError */
  make(...args: string[]): Promise<string> {
    return run('make', args, { env: this.env });
  }
}

async function makeNetwork(): Promise<void> {
  await run('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', '/run']);
  for (const command of [
    'link set lo up',
    `link add ${BRIDGE} type bridge`,
    `addr add ${CONTROL_PLANE_ADDRESS}/24 dev ${BRIDGE}`,
    `link set ${BRIDGE} up`,
  ]) {
    await run('ip', command.split(' '));
  }
  await run('sysctl', ['-qw', 'net.ipv4.ip_forward=1']);
}

/** The simulator listens on loopback alone; pods reach it here. */
async function openDoor(url: string): Promise<{ close(): void }> {
  const { hostname, port } = new URL(url);
  const door = createServer((client) => joinSockets(client, connect(Number(port), hostname)));
  await new Promise<void>((resolve) => door.listen(EC2_PORT, CONTROL_PLANE_ADDRESS, resolve));
  return door;
}
