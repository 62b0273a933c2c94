import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { CniPrograms } from '../stage/host/cni-programs.js';
import type { NodePod } from '../stage/host/node-pod.js';
import { PODS, type Pod, PodRuntime } from '../stage/host/pod-runtime.js';
import type { Hosts } from './hosts.js';
import type { Kubernetes } from './kubernetes.js';
import type { Lifeline } from './lifeline.js';
import { pollUntil } from './poll.js';
import type { TableEvent } from './table-client.js';
import { WatchedTable } from './watched-table.js';

/** The pods' namespace. */
export const NAMESPACE = 'apps';
/** By this annotation a pod asks for networks. */
const NETWORKS = 'k8s.v1.cni.cncf.io/networks';

export interface PodsOptions {
  cluster: Kubernetes;
  hosts: Hosts;
  programs: CniPrograms;
  /** Fails when a pod that was deleted does not end. */
  lifeline: Lifeline;
}

/** A pod with one network beside the cluster's. */
export interface DemoPod extends Pod {
  spec: { nodeName: string; containers: { name: string; image: string }[] };
}

/** The pods on the demo's nodes, and what kubelet would do for them: it starts them, and ends those that are deleted. */
export class Pods implements AsyncDisposable {
  /** By name. */
  private readonly running = new Map<string, NodePod>();
  /** By node. */
  private readonly runtimes = new Map<string, PodRuntime>();
  private readonly ended = new AbortController();
  /** The latest start or end: one at a time. */
  private work: Promise<unknown> = Promise.resolve();

  private constructor(private readonly options: PodsOptions) {}

  static create(options: PodsOptions): Pods {
    const pods = new Pods(options);
    const { cluster, lifeline } = options;
    const table = WatchedTable.open({
      client: cluster.tables,
      resource: PODS,
      signal: pods.ended.signal,
      failed: (error) => lifeline.fail(error),
    });
    table.subscribe((event) => pods.follow(event));
    return pods;
  }

  /** @throws RangeError where no such pod runs */
  of(name: string): NodePod {
    const pod = this.running.get(name);
    if (!pod) throw new RangeError(`There is no pod ${name}`);
    return pod;
  }

  /**
   * Creates the pod and runs it on its node, as soon as the node's agent offers the network.
   * @throws NamespaceCommandError with what Multus says, if it refuses; NotSeenError
   */
  start(manifest: DemoPod): Promise<void> {
    return this.inTurn(async () => {
      const { spec, metadata } = manifest;
      const pod = await this.options.cluster.kube.create<Pod>(PODS, manifest);
      await this.untilOffered(metadata.annotations?.[NETWORKS] ?? '', spec.nodeName);
      const running = await (await this.runtimeOf(spec.nodeName)).run(pod);
      this.running.set(metadata.name, running);
      await running.serve();
      await this.reportRunning(manifest);
    });
  }

  /** Deletes all, and resolves once they have ended. @returns their names */
  deleteAll(): Promise<string[]> {
    return this.inTurn(async () => {
      const names = [...this.running.keys()];
      await Promise.all(names.map((name) => this.end(name)));
      return names;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ended.abort();
    // What Multus cannot end without an API server goes with the namespaces and the nodes' folders.
    await this.deleteAll().catch(() => undefined);
    for (const runtime of this.runtimes.values()) await runtime.delete();
  }

  private follow({ type, columns, row }: TableEvent): void {
    if (type !== 'DELETED') return;
    const name = String(row.cells[columns.indexOf('Name')]);
    this.inTurn(() => this.end(name)).catch((error: unknown) => this.options.lifeline.fail(error));
  }

  private async end(name: string): Promise<void> {
    const pod = this.running.get(name);
    this.running.delete(name);
    await pod?.delete();
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.work.then(work);
    this.work = done.catch(() => undefined);
    return done;
  }

  /** Until then Multus would refuse the pod, and kubelet would try again. */
  private async untilOffered(network: string, node: string): Promise<void> {
    const { hosts, lifeline } = this.options;
    // The agent's name for it.
    const file = join(hosts.of(node).configurationDir, `eni-operator-${network}.conf`);
    const exists = () =>
      access(file).then(
        () => true,
        () => false,
      );
    const outcome = `${node} has the network ${network}`;
    await pollUntil(exists, { outcome, signal: lifeline.signal });
  }

  private async runtimeOf(nodeName: string): Promise<PodRuntime> {
    const { cluster, hosts, programs } = this.options;
    const { kube, kubeconfigPath } = cluster;
    const existing = this.runtimes.get(nodeName);
    if (existing) return existing;
    const runtime = await PodRuntime.create({
      ...{ programs, kube, kubeconfigPath, nodeName, namespace: NAMESPACE },
      ...hosts.of(nodeName),
    });
    this.runtimes.set(nodeName, runtime);
    return runtime;
  }

  private async reportRunning({ metadata, spec }: DemoPod): Promise<void> {
    const body = {
      status: {
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'True' }],
        containerStatuses: spec.containers.map(({ name, image }) => ({
          ...{ name, image, imageID: '', restartCount: 0, ready: true },
          state: { running: {} },
        })),
      },
    };
    const { kube } = this.options.cluster;
    await kube.patch<Pod>(PODS, metadata, { type: 'merge', body }, { subresource: 'status' });
  }
}
