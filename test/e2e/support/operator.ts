import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { KubeObject } from '../../../src/runtime/kube/resource.js';
import { OPERATOR_IMAGE } from '../../../tools/real-node/images.js';
import type { RealCluster } from '../../../tools/real-node/real-cluster.js';
import type { RealNode } from '../../../tools/real-node/real-node.js';
import { CONTROL_PLANE_ADDRESS, EC2_PORT } from '../../../tools/real-node/topology.js';
import { PODS } from '../../../tools/stage/host/pod-runtime.js';
import { eventually } from '../../support/eventually.js';

export const NAMESPACE = 'eni-system';

export type Component = 'controller' | 'agent';

export interface DeployOptions {
  /** Of kustomize/overlays. */
  overlay?: string;
  /** Of kustomize/components, besides. */
  components?: readonly string[];
  /** For the controller's ConfigMap, besides where EC2 is. */
  settings?: Readonly<Record<string, string>>;
  image?: string;
  /** The project's files to deploy, of this state or of another; the current folder unset. */
  sources?: string;
  /** Whether to return before the pods are ready. */
  noWait?: boolean;
}

export interface Pod extends KubeObject {
  spec: { nodeName?: string; containers: { image: string }[] };
  status?: {
    phase?: string;
    podIP?: string;
    conditions?: { type: string; status: string }[];
    containerStatuses?: { name: string; containerID?: string; restartCount: number }[];
  };
}

export interface PodProcess {
  node: RealNode;
  /** On the node. */
  pid: number;
}

const WORKLOADS: Readonly<Record<Component, string>> = {
  controller: 'deployment/eni-operator-controller',
  agent: 'daemonset/eni-operator-agent',
};
export const REGION = 'us-west-2';
/** Where EC2 is, for the controller's ConfigMap. */
export const EC2_SETTINGS = {
  AWS_ENDPOINT_URL_EC2: `http://${CONTROL_PLANE_ADDRESS}:${EC2_PORT}`,
  AWS_ACCESS_KEY_ID: 'simulator',
  AWS_SECRET_ACCESS_KEY: 'simulator',
};
/** Written as a user's own kustomization would be; git ignores the folder. */
const OVERLAYS = 'dist/e2e';

/** The operator as its users deploy it. */
export class Operator {
  constructor(private readonly cluster: RealCluster) {}

  /** Deploys it by the README's command, and waits until it has rolled out. @throws CommandError */
  async deploy(options: DeployOptions = {}): Promise<void> {
    const { image = OPERATOR_IMAGE, components = [], noWait = false, sources = '.' } = options;
    const overlay = await writeOverlay(options);
    await this.cluster.make(
      `--directory=${sources}`,
      'deploy',
      `OVERLAY=${overlay}`,
      `IMG=${image}`,
      `REGION=${REGION}`,
      `COMPONENTS=${components.join(' ')}`,
    );
    if (!noWait) await this.rolledOut();
  }

  /** Takes it away by the README's command. @returns what that printed @throws CommandError */
  async undeploy(
    options: DeployOptions & { enis?: 'delete' | 'keep'; timeout?: string } = {},
  ): Promise<string> {
    const { enis, timeout } = options;
    const overlay = await writeOverlay(options);
    return this.cluster.make(
      `--directory=${options.sources ?? '.'}`,
      'undeploy',
      `OVERLAY=${overlay}`,
      ...(enis ? [`ENIS=${enis}`] : []),
      ...(timeout ? [`TIMEOUT=${timeout}`] : []),
    );
  }

  /** @throws CommandError where a rollout takes longer */
  async rolledOut(seconds = 120): Promise<void> {
    for (const workload of Object.values(WORKLOADS)) {
      await this.kubectl('rollout', 'status', workload, `--timeout=${seconds}s`);
    }
  }

  /** kubectl in the operator's namespace. */
  kubectl(...args: string[]): Promise<string> {
    return this.cluster.kubectl(`--namespace=${NAMESPACE}`, ...args);
  }

  /** Its pods that are not about to end. */
  async pods(component: Component): Promise<Pod[]> {
    const { items } = await this.cluster.kube.list<Pod>(PODS, {
      namespace: NAMESPACE,
      labelSelector: `app.kubernetes.io/component=${component}`,
    });
    return items.filter(({ metadata }) => !metadata.deletionTimestamp);
  }

  async readyPods(component: Component): Promise<Pod[]> {
    return (await this.pods(component)).filter(isReady);
  }

  /** Whom the controllers' Lease names. */
  leader(): Promise<string> {
    return this.kubectl('get', 'lease', '--output=jsonpath={.items[*].spec.holderIdentity}');
  }

  /** The one controller, or the agent of a node. */
  async pod(component: Component, nodeName?: string): Promise<Pod> {
    return eventually(async () => {
      const pods = await this.readyPods(component);
      const found = pods.filter(({ spec }) => !nodeName || spec.nodeName === nodeName);
      const [pod] = found;
      if (!pod || found.length > 1) throw new Error(`${found.length} ready ${component} pods`);
      return pod;
    }, 60_000);
  }

  /**
   * Kills a pod's process as the kernel's OOM killer would, and deletes the pod, so that its successor starts at once.
   * @param process unset: what processOf() finds
   */
  async kill(pod: Pod, process?: PodProcess): Promise<void> {
    const { node, pid } = process ?? (await this.processOf(pod));
    await node.exec('kill', '-KILL', String(pid));
    await this.kubectl('delete', 'pod', pod.metadata.name, '--grace-period=0', '--force');
  }

  /** The main process of a pod's container, by its id on the node. */
  async processOf({ spec, status, metadata }: Pod): Promise<PodProcess> {
    const node = this.cluster.node(spec.nodeName ?? '');
    const [container] = status?.containerStatuses ?? [];
    const id = container?.containerID?.replace('containerd://', '');
    const tasks = await node.ctr('tasks', 'ls');
    const line = tasks.split('\n').find((each) => id && each.startsWith(id));
    const pid = Number(line?.split(/\s+/)[1]);
    if (!(pid > 0)) throw new Error(`${metadata.name} has no process on ${node.name}`);
    return { node, pid };
  }
}

function isReady({ status }: Pod): boolean {
  return (
    status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
  );
}

/** What a user's kustomization would add to an overlay. @returns its path, as `make deploy` takes it */
async function writeOverlay({
  overlay = 'default',
  settings = {},
  sources = '.',
}: DeployOptions): Promise<string> {
  const dir = join(OVERLAYS, overlay);
  await mkdir(join(sources, dir), { recursive: true });
  const controller = { ...EC2_SETTINGS, ...settings };
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [`../../../kustomize/overlays/${overlay}`],
    configMapGenerator: [
      {
        name: 'eni-operator-controller',
        namespace: NAMESPACE,
        behavior: 'merge',
        literals: Object.entries(controller).map(([name, value]) => `${name}=${value}`),
      },
    ],
  };
  await writeFile(join(sources, dir, 'kustomization.yaml'), stringify(kustomization));
  return `../../${dir}`;
}
