import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubeClient } from '../../../src/runtime/kube/kube-client.js';
import type { KubeObject, ResourceType } from '../../../src/runtime/kube/resource.js';
import { TemporaryDirectory } from '../../envtest/temporary-directory.js';
import { ignoringNotFound } from '../ignoring-not-found.js';
import type { CniPrograms } from './cni-programs.js';
import { NetworkNamespace } from './network-namespace.js';
import type { NodeHost } from './node-host.js';
import { NodePod } from './node-pod.js';

export interface PodRuntimeOptions {
  programs: CniPrograms;
  host: Pick<NodeHost, 'namespace' | 'apiServer'>;
  nodeName: string;
  /** The pods' namespace. */
  namespace: string;
  kube: KubeClient;
  /** Of the API server, as this machine reaches it. */
  kubeconfigPath: string;
  /** What the node has as {@link MULTUS_FOLDER}. */
  configurationDir: string;
  /** What the node has as {@link HOST_LOCAL_FOLDER}. */
  stateDir: string;
}

export interface Pod extends KubeObject {
  spec: object;
}

export const PODS: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'pods',
  kind: 'Pod',
  namespaced: true,
};
/** The CRD that Multus brings along. */
export const MULTUS_CRDS = 'tools/stage/multus';
const NETWORKS = 'k8s.v1.cni.cncf.io/networks';
const NETWORK_STATUS = 'k8s.v1.cni.cncf.io/network-status';

/** The network that every pod of the cluster has: it ends on the node. */
const CLUSTER_NETWORK = {
  cniVersion: '0.3.1',
  name: 'cluster',
  type: 'ptp',
  ipam: {
    type: 'host-local',
    ranges: [[{ subnet: '192.168.77.0/24' }]],
    routes: [{ dst: '0.0.0.0/0' }],
  },
};

/** Where Multus looks for configurations unless it is configured otherwise. */
export const MULTUS_FOLDER = '/etc/cni/multus/net.d';
/** Where host-local stores addresses unless it is configured otherwise. */
export const HOST_LOCAL_FOLDER = '/var/lib/cni/networks';

/**
 * Runs a plugin on a machine whose folders for CNI are the node's. `ip netns exec` gives each command mounts of its
 * own, so the machine's folders stay as they are, and none is made where there is none. A plugin prints its error
 * where it prints its result.
 */
const CALL = `
put() {
  if [ -d "$2/cni" ]; then mount -t tmpfs tmpfs "$2/cni" || exit
  else mount -t tmpfs tmpfs "$2" || exit; fi
  mkdir -p "$2/cni/$3" && mount --bind "$1" "$2/cni/$3" || exit
}
put "$1" ${MULTUS_FOLDER.replace('/cni/', ' ')}
put "$2" ${HOST_LOCAL_FOLDER.replace('/cni/', ' ')}
configuration=$3; shift 3
result=$("$@" < "$configuration") && echo "$result" || { echo "$result" >&2; exit 1; }
`;

/**
 * Starts pods on a node as kubelet and a container runtime do, as far as networks go: a Pod object, a network
 * namespace, and Multus, which is called in the node's namespace.
 */
export class PodRuntime {
  private constructor(
    private readonly options: PodRuntimeOptions,
    private readonly folder: TemporaryDirectory,
  ) {}

  static async create(options: PodRuntimeOptions): Promise<PodRuntime> {
    const { host, kubeconfigPath, programs } = options;
    const folder = await TemporaryDirectory.create('eni-pods-');
    const [kubeconfig, binDir] = [join(folder.path, 'kubeconfig'), programs.path.split(':')[0]];
    const { apiServer } = host;
    const config = await readFile(kubeconfigPath, 'utf8');
    const asSeen = `https://${apiServer.host}:${apiServer.port}`;
    await writeFile(kubeconfig, config.replace(/https:\/\/[^\s"']+/, asSeen), { mode: 0o600 });
    const multus = {
      cniVersion: '0.3.1',
      name: 'multus',
      type: 'multus',
      kubeconfig,
      cniDir: join(folder.path, 'multus'),
      binDir,
      logLevel: 'error',
      delegates: [CLUSTER_NETWORK],
    };
    await writeFile(join(folder.path, 'multus.conf'), JSON.stringify(multus));
    return new PodRuntime(options, folder);
  }

  /**
   * Starts a pod with an interface in that network, a NetworkAttachmentDefinition of its namespace.
   * @throws NamespaceCommandError with what Multus says, if it refuses
   */
  async start(name: string, network: string): Promise<NodePod> {
    const { kube, nodeName, namespace } = this.options;
    const pod = await kube.create<Pod>(PODS, {
      metadata: { namespace, name, annotations: { [NETWORKS]: network } },
      spec: {
        nodeName,
        terminationGracePeriodSeconds: 0,
        containers: [{ name: 'main', image: 'none' }],
      },
    });
    return this.run(pod);
  }

  /**
   * Runs a pod of this node whose object exists. If it does not start, its object is deleted, as at its end.
   * @throws NamespaceCommandError with what Multus says, if it refuses
   */
  async run({ metadata }: Pod): Promise<NodePod> {
    const { kube, namespace } = this.options;
    const { name, uid = '' } = metadata;
    await using undo = new AsyncDisposableStack();
    undo.defer(() => ignoringNotFound(kube.delete(PODS, { namespace, name })));
    const sandbox = await NetworkNamespace.create(`pod-${name}`);
    undo.defer(() => sandbox.delete());
    const call = { sandbox, name, uid };
    undo.defer(async () => void (await this.callMultus('DEL', call)));
    await this.callMultus('ADD', call);
    const { metadata: now } = await kube.get<Pod>(PODS, { namespace, name });
    const status: unknown = JSON.parse(now.annotations?.[NETWORK_STATUS] ?? '[]');
    const parts = undo.move();
    return new NodePod({
      namespace: sandbox,
      address: addressIn(status),
      end: () => parts.disposeAsync(),
    });
  }

  async delete(): Promise<void> {
    await this.folder.remove();
  }

  /** As containerd does, with the node's folders in the place of the machine's. */
  private callMultus(
    command: 'ADD' | 'DEL',
    { sandbox, name, uid }: { sandbox: NetworkNamespace; name: string; uid: string },
  ): Promise<string> {
    const { host, programs, configurationDir, stateDir, namespace } = this.options;
    const id = sandbox.name;
    const args = {
      K8S_POD_NAMESPACE: namespace,
      K8S_POD_NAME: name,
      K8S_POD_INFRA_CONTAINER_ID: id,
      K8S_POD_UID: uid,
    };
    const env = {
      CNI_COMMAND: command,
      CNI_CONTAINERID: id,
      CNI_NETNS: `/var/run/netns/${id}`,
      CNI_IFNAME: 'eth0',
      CNI_PATH: programs.path,
      CNI_ARGS: Object.entries({ IgnoreUnknown: 'true', ...args })
        .map((pair) => pair.join('='))
        .join(';'),
    };
    const settings = Object.entries(env).map((pair) => pair.join('='));
    const configuration = join(this.folder.path, 'multus.conf');
    const folders = [configurationDir, stateDir];
    const words = [...folders, configuration, 'env', ...settings, programs.multus];
    return host.namespace.exec('sh', ['-c', CALL, 'call-multus', ...words]);
  }
}

/** The address of `net1` in Multus' report. */
function addressIn(status: unknown): string {
  const interfaces = Array.isArray(status)
    ? (status as { interface?: string; ips?: string[] }[])
    : [];
  return interfaces.find((each) => each.interface === 'net1')?.ips?.[0] ?? '';
}
