import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import type { Assets } from '../envtest/assets.js';
import { Etcd } from '../envtest/etcd.js';
import { type KubeApiServerOptions, startKubeApiServer } from '../envtest/kube-apiserver.js';
import { kubeconfig, writePrivate } from '../envtest/kubeconfig.js';
import {
  CertificateAuthority,
  type ClientIdentity,
  type KeyPair,
  serviceAccountKeys,
} from '../envtest/pki.js';
import { SupervisedProcess } from '../envtest/supervised-process.js';
import { LogFile } from './log-file.js';
import type { NodeBinaries } from './node-binaries.js';
import {
  API_SERVER_PORT,
  CONTROL_PLANE_ADDRESS,
  KUBERNETES_SERVICE_ADDRESS,
  type NodePlace,
  SERVICE_CIDR,
} from './topology.js';

export interface ClusterControlPlaneOptions {
  assets: Assets;
  binaries: NodeBinaries;
  dir: string;
}

/** What a node's programs prove themselves by. */
export interface NodeCredentials {
  ca: string;
  serving: KeyPair;
  kubeconfigs: { kubelet: string; proxy: string };
}

interface Parts {
  options: ClusterControlPlaneOptions;
  ca: CertificateAuthority;
  etcd: Etcd;
  apiServerOptions: KubeApiServerOptions;
  apiServer: SupervisedProcess;
  others: SupervisedProcess[];
}

const SERVER = `https://${CONTROL_PLANE_ADDRESS}:${API_SERVER_PORT}`;
const CONTROLLER_MANAGER_PORT = 10257;
const SCHEDULER_PORT = 10259;

/** etcd, kube-apiserver, kube-controller-manager and kube-scheduler, in this process's network namespace. */
export class ClusterControlPlane {
  private constructor(private readonly parts: Parts) {}

  /** @throws ProcessStartError */
  static async start(options: ClusterControlPlaneOptions): Promise<ClusterControlPlane> {
    const { assets, binaries, dir } = options;
    await mkdir(dir, { recursive: true });
    const ca = await CertificateAuthority.create();
    const etcd = await Etcd.start({
      binary: assets.etcd,
      dataDir: join(dir, 'etcd'),
      onLine: LogFile.lines(dir, 'etcd'),
    });
    const write = async (name: string, text: string): Promise<string> => {
      await writePrivate(join(dir, name), text);
      return join(dir, name);
    };
    const serving = await ca.servingCertificate([
      CONTROL_PLANE_ADDRESS,
      KUBERNETES_SERVICE_ADDRESS,
    ]);
    const admin = await ca.clientCertificate({ name: 'admin', groups: ['system:masters'] });
    const toKubelets = await ca.clientCertificate({
      name: 'kube-apiserver-kubelet-client',
      groups: ['system:masters'],
    });
    const keys = serviceAccountKeys();
    const files = {
      servingCert: await write('serving.crt', serving.cert),
      servingKey: await write('serving.key', serving.key),
      clientCa: await write('ca.crt', ca.certificate),
      serviceAccountPublicKey: await write('service-account.pub', keys.publicKey),
      serviceAccountPrivateKey: await write('service-account.key', keys.privateKey),
    };
    const apiServerOptions: KubeApiServerOptions = {
      binary: assets.kubeApiServer,
      port: API_SERVER_PORT,
      etcdUrl: etcd.url,
      files,
      ca: ca.certificate,
      admin,
      surroundings: [
        '--bind-address=0.0.0.0',
        `--advertise-address=${CONTROL_PLANE_ADDRESS}`,
        `--service-cluster-ip-range=${SERVICE_CIDR}`,
        '--authorization-mode=Node,RBAC',
        '--enable-admission-plugins=NodeRestriction',
        `--kubelet-client-certificate=${await write('kubelet-client.crt', toKubelets.cert)}`,
        `--kubelet-client-key=${await write('kubelet-client.key', toKubelets.key)}`,
        `--kubelet-certificate-authority=${files.clientCa}`,
        '--kubelet-preferred-address-types=InternalIP',
      ],
      extraFlags: [],
      onLine: LogFile.lines(dir, 'kube-apiserver'),
    };
    const apiServer = await startKubeApiServer(apiServerOptions);
    const others: SupervisedProcess[] = [];
    const controlPlane = new ClusterControlPlane({
      options,
      ca,
      etcd,
      apiServerOptions,
      apiServer,
      others,
    });
    await writePrivate(
      controlPlane.kubeconfigPath,
      kubeconfig({ server: SERVER, ca: ca.certificate, user: 'admin', credentials: admin }),
    );
    const component = async (
      name: 'kube-controller-manager' | 'kube-scheduler',
      port: number,
      flags: readonly string[],
    ): Promise<void> => {
      const config = join(dir, `${name}.kubeconfig`);
      await writePrivate(config, await controlPlane.kubeconfigFor({ name: `system:${name}` }));
      const process = await SupervisedProcess.start({
        name,
        command: binaries[name],
        args: [
          ...['', 'authentication-', 'authorization-'].map((use) => `--${use}kubeconfig=${config}`),
          '--leader-elect=false',
          '--bind-address=127.0.0.1',
          ...flags,
        ],
        isHealthy: (signal) => isHealthy(port, signal),
        startTimeoutMs: 60_000,
        stopTimeoutMs: 10_000,
        onLine: LogFile.lines(dir, name),
      });
      others.push(process);
    };
    await Promise.all([
      component('kube-scheduler', SCHEDULER_PORT, []),
      component('kube-controller-manager', CONTROLLER_MANAGER_PORT, [
        `--service-account-private-key-file=${files.serviceAccountPrivateKey}`,
        `--root-ca-file=${files.clientCa}`,
        '--use-service-account-credentials=true',
        // A node that is silent for this long is NotReady; as in a default cluster.
        '--node-monitor-grace-period=50s',
      ]),
    ]);
    return controlPlane;
  }

  /** Of a user who may do everything. */
  get kubeconfigPath(): string {
    return join(this.parts.options.dir, 'admin.kubeconfig');
  }

  /** Text of a kubeconfig. */
  async kubeconfigFor(user: ClientIdentity): Promise<string> {
    const { ca } = this.parts;
    const credentials = await ca.clientCertificate(user);
    return kubeconfig({ server: SERVER, ca: ca.certificate, user: user.name, credentials });
  }

  async nodeCredentials({ name, address }: NodePlace): Promise<NodeCredentials> {
    const { ca } = this.parts;
    return {
      ca: ca.certificate,
      serving: await ca.servingCertificate([address], name),
      kubeconfigs: {
        kubelet: await this.kubeconfigFor({
          name: `system:node:${name}`,
          groups: ['system:nodes'],
        }),
        proxy: await this.kubeconfigFor({ name: 'system:kube-proxy' }),
      },
    };
  }

  /** Ends it as a crash does: one that is stopped takes its address out of the Service "kubernetes" first. */
  async killApiServer(): Promise<void> {
    await this.parts.apiServer.kill();
  }

  /** Resolves once it is ready. @throws ProcessStartError */
  async startApiServer(): Promise<void> {
    this.parts.apiServer = await startKubeApiServer(this.parts.apiServerOptions);
  }

  async stop(): Promise<void> {
    const { others, apiServer, etcd } = this.parts;
    await Promise.all(others.map((each) => each.kill()));
    await apiServer.kill();
    await etcd.process.kill();
  }
}

async function isHealthy(port: number, signal: AbortSignal): Promise<boolean> {
  // It signs its own certificate at each start.
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
  try {
    const url = `https://127.0.0.1:${port}/healthz`;
    const { statusCode, body } = await request(url, { dispatcher, signal });
    await body.dump();
    return statusCode === 200;
  } finally {
    await dispatcher.destroy();
  }
}
