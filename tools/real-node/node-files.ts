import { access, constants, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import type { KeyPair } from '../envtest/pki.js';
import { hasCgroupV1 } from './cgroups.js';
import { PAUSE_IMAGE } from './images.js';
import { type NodePlace, POD_CIDR } from './topology.js';

export interface NodeFilesOptions {
  place: NodePlace;
  /** Folder of the files. */
  dir: string;
  /** cgroup of the node's pods. */
  cgroup: string;
  /** PEM. */
  ca: string;
  serving: KeyPair;
  kubeconfigs: { kubelet: string; proxy: string };
}

/** Paths of what the node's programs are configured by. */
export interface NodeFiles {
  containerd: string;
  kubelet: string;
  kubeletKubeconfig: string;
  proxy: string;
  /** Folder for certificates that kubelet makes. */
  certificates: string;
  /** Goes to /etc/cni/net.d of the node. */
  cni: string;
}

/** Where Debian's containernetworking-plugins and others put them. */
const CNI_FOLDERS = ['/usr/lib/cni', '/opt/cni/bin'];
/** Bit of CAP_SYS_RESOURCE in a process's capabilities (linux/capability.h). */
const CAP_SYS_RESOURCE = 24n;

export async function writeNodeFiles(options: NodeFilesOptions): Promise<NodeFiles> {
  const { place, dir, cgroup, ca, serving, kubeconfigs } = options;
  const write = async (name: string, text: string): Promise<string> => {
    const path = join(dir, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
  const proxyKubeconfig = await write('proxy.kubeconfig', kubeconfigs.proxy);
  const kubelet = {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      x509: { clientCAFile: await write('ca.crt', ca) },
      webhook: { enabled: true },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: await write('kubelet.crt', serving.cert),
    tlsPrivateKeyFile: await write('kubelet.key', serving.key),
    containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${cgroup}`,
    // From 1.36 on, kubelet refuses cgroup v1 unless it is allowed.
    failCgroupV1: !(await hasCgroupV1()),
    failSwapOn: false,
    // No DNS runs here.
    clusterDNS: ['10.96.0.10'],
    clusterDomain: 'cluster.local',
    resolvConf: '/dev/null',
    // The disk is the machine's, and as full as it is.
    evictionHard: {
      'memory.available': '100Mi',
      'nodefs.available': '1%',
      'imagefs.available': '1%',
    },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    nodeStatusUpdateFrequency: '5s',
  };
  const proxy = {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'iptables',
    clusterCIDR: POD_CIDR,
    clientConnection: { kubeconfig: proxyKubeconfig },
    // These are the whole kernel's, and stay as they are.
    conntrack: { maxPerCore: 0, min: 0, tcpCloseWaitTimeout: '0s', tcpEstablishedTimeout: '0s' },
    healthzBindAddress: `${place.address}:10256`,
    metricsBindAddress: '127.0.0.1:10249',
  };
  const certificates = join(dir, 'certificates');
  await mkdir(certificates, { recursive: true });
  return {
    containerd: await write('containerd.toml', await containerdConfig()),
    kubelet: await write('kubelet.yaml', stringify(kubelet)),
    kubeletKubeconfig: await write('kubelet.kubeconfig', kubeconfigs.kubelet),
    proxy: await write('proxy.yaml', stringify(proxy)),
    certificates,
    cni: await write('cni/10-ptp.conflist', JSON.stringify(cniConfig(place))),
  };
}

/** Each pod has a cable to its node, which routes. */
function cniConfig({ podCidr }: NodePlace): object {
  const ipam = {
    type: 'host-local',
    ranges: [[{ subnet: podCidr }]],
    routes: [{ dst: '0.0.0.0/0' }],
  };
  return {
    cniVersion: '0.4.0',
    name: 'pods',
    plugins: [
      { type: 'ptp', mtu: 1500, ipMasq: false, ipam },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

async function containerdConfig(): Promise<string> {
  // Without the capability, runc cannot lower a process's oom_score_adj, and fails.
  const mayLower = await hasCapability(CAP_SYS_RESOURCE);
  return `version = 2
${mayLower ? '' : 'oom_score = 0'}
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  restrict_oom_score_adj = ${!mayLower}
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${(await cniFolder()) ?? ''}"
    conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
`;
}

/** Where CNI's plugins are on this machine; undefined where there are none. */
export async function cniFolder(): Promise<string | undefined> {
  for (const folder of CNI_FOLDERS) {
    const found = await access(join(folder, 'ptp'), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return folder;
  }
  return undefined;
}

async function hasCapability(bit: bigint): Promise<boolean> {
  const [, effective = '0'] =
    /^CapEff:\s*(\S+)$/m.exec(await readFile('/proc/self/status', 'utf8')) ?? [];
  return ((BigInt(`0x${effective}`) >> bit) & 1n) === 1n;
}
