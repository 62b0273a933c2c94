import { cp, mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Assets } from './assets.js';
import type { Cluster, KubeconfigUser } from './cluster.js';
import { Etcd } from './etcd.js';
import {
  ALONE,
  AUDIT_POLICY,
  type KubeApiServerFiles,
  type KubeApiServerOptions,
  startKubeApiServer,
} from './kube-apiserver.js';
import { kubeconfig, writePrivate } from './kubeconfig.js';
import { CertificateAuthority, type KeyPair, serviceAccountKeys } from './pki.js';
import { onFreePorts } from './ports.js';
import type { SupervisedProcess } from './supervised-process.js';
import { TemporaryDirectory } from './temporary-directory.js';

export interface LocalClusterOptions {
  assets: Assets;
  auditLog: boolean;
  extraApiServerFlags: readonly string[];
  /** Kept at the end if given; otherwise a temporary directory, removed at the end. */
  dataDir?: string | undefined;
  logger?: ((line: string) => void) | undefined;
}

interface Parts {
  dir: string;
  assets: Assets;
  logger: ((line: string) => void) | undefined;
  temporary: TemporaryDirectory | undefined;
  ca: CertificateAuthority;
  etcd: Etcd;
  apiServer: SupervisedProcess;
  apiServerOptions: KubeApiServerOptions;
}

/** An etcd and a kube-apiserver of our own, on loopback. */
export class LocalCluster implements Cluster {
  readonly server: string;
  readonly kubeconfigPath: string;
  readonly auditLogPath?: string;
  private kubeconfigs = 0;
  private backups = 0;

  private constructor(private readonly parts: Parts) {
    const { apiServerOptions, dir } = parts;
    this.server = serverUrl(apiServerOptions.port);
    this.kubeconfigPath = join(dir, 'admin.kubeconfig');
    const { audit } = apiServerOptions.files;
    if (audit) this.auditLogPath = audit.log;
  }

  /** @throws ProcessStartError when etcd or kube-apiserver does not come up; nothing is left behind. */
  static async start(options: LocalClusterOptions): Promise<LocalCluster> {
    await using undo = new AsyncDisposableStack();
    const { assets, logger, dataDir } = options;
    const temporary = dataDir
      ? undefined
      : await TemporaryDirectory.create('eni-operator-envtest-');
    if (temporary) undo.defer(() => temporary.remove());
    const dir = resolve(temporary?.path ?? dataDir ?? '');
    await mkdir(dir, { recursive: true, mode: 0o700 });

    const ca = await CertificateAuthority.create();
    const [admin, files] = await Promise.all([
      ca.clientCertificate({ name: 'admin', groups: ['system:masters'] }),
      writeFiles(dir, ca, options.auditLog),
    ]);
    const etcd = await startEtcd({ dir, assets, logger });
    undo.defer(() => etcd.process.kill());

    const [apiServer, apiServerOptions] = await onFreePorts(1, async ([port = 0]) => {
      const apiServerOptions: KubeApiServerOptions = {
        binary: assets.kubeApiServer,
        port,
        etcdUrl: etcd.url,
        files,
        ca: ca.certificate,
        admin,
        surroundings: ALONE,
        extraFlags: options.extraApiServerFlags,
        onLine: logger && ((line) => logger(`kube-apiserver: ${line}`)),
      };
      return [await startKubeApiServer(apiServerOptions), apiServerOptions] as const;
    });
    undo.defer(() => apiServer.kill());

    const cluster = new LocalCluster({
      dir,
      assets,
      logger,
      temporary,
      ca,
      etcd,
      apiServer,
      apiServerOptions,
    });
    await cluster.writeKubeconfig(cluster.kubeconfigPath, 'admin', admin);
    undo.move();
    return cluster;
  }

  async kubeconfigFor(user: KubeconfigUser): Promise<string> {
    const path = join(this.parts.dir, `user-${++this.kubeconfigs}.kubeconfig`);
    const credentials = 'token' in user ? user : await this.parts.ca.clientCertificate(user);
    await this.writeKubeconfig(path, 'name' in user ? user.name : 'token', credentials);
    return path;
  }

  async startApiServer(): Promise<void> {
    if (this.parts.apiServer.running) return;
    this.parts.apiServer = await startKubeApiServer(this.parts.apiServerOptions);
  }

  async stopApiServer(): Promise<void> {
    await this.parts.apiServer.stop();
  }

  async compact(): Promise<void> {
    await this.parts.etcd.compact();
  }

  async backUp(): Promise<string> {
    const { dir, etcd } = this.parts;
    const backup = join(dir, `etcd-backup-${++this.backups}`);
    etcd.process.pause();
    try {
      await cp(dataDirOf(dir), backup, { recursive: true });
    } finally {
      etcd.process.resume();
    }
    return backup;
  }

  async restore(backup: string): Promise<void> {
    const { parts } = this;
    await Promise.all([parts.apiServer.kill(), parts.etcd.process.kill()]);
    await rm(dataDirOf(parts.dir), { recursive: true });
    await cp(backup, dataDirOf(parts.dir), { recursive: true });
    parts.etcd = await startEtcd(parts);
    parts.apiServerOptions = { ...parts.apiServerOptions, etcdUrl: parts.etcd.url };
    await this.startApiServer();
  }

  async stop(): Promise<void> {
    // Nothing is worth a polite farewell, unless the caller keeps the data.
    if (this.parts.temporary) {
      await Promise.all([this.parts.apiServer.kill(), this.parts.etcd.process.kill()]);
      await this.parts.temporary.remove();
    } else {
      await this.parts.apiServer.stop();
      await this.parts.etcd.process.stop();
    }
  }

  private writeKubeconfig(
    path: string,
    user: string,
    credentials: KeyPair | { token: string },
  ): Promise<void> {
    const ca = this.parts.ca.certificate;
    return writePrivate(path, kubeconfig({ server: this.server, ca, user, credentials }));
  }
}

function startEtcd({
  dir,
  assets,
  logger,
}: Pick<Parts, 'dir' | 'assets' | 'logger'>): Promise<Etcd> {
  return Etcd.start({
    binary: assets.etcd,
    dataDir: dataDirOf(dir),
    onLine: logger && ((line) => logger(`etcd: ${line}`)),
  });
}

function dataDirOf(dir: string): string {
  return join(dir, 'etcd');
}

async function writeFiles(
  dir: string,
  ca: CertificateAuthority,
  auditLog: boolean,
): Promise<KubeApiServerFiles> {
  const write = async (name: string, text: string): Promise<string> => {
    const path = join(dir, name);
    await writePrivate(path, text);
    return path;
  };
  const serving = await ca.servingCertificate();
  const serviceAccount = serviceAccountKeys();
  return {
    servingCert: await write('serving.crt', serving.cert),
    servingKey: await write('serving.key', serving.key),
    clientCa: await write('ca.crt', ca.certificate),
    serviceAccountPublicKey: await write('service-account.pub', serviceAccount.publicKey),
    serviceAccountPrivateKey: await write('service-account.key', serviceAccount.privateKey),
    audit: auditLog
      ? { policy: await write('audit-policy.yaml', AUDIT_POLICY), log: join(dir, 'audit.log') }
      : undefined,
  };
}

function serverUrl(port: number): string {
  return `https://127.0.0.1:${port}`;
}
