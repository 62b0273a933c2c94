import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiException, CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { TemporaryDirectory } from '../envtest/temporary-directory.js';

export interface PodIdentityOptions {
  /** An administrator's; the API server's CA is taken from it. */
  kubeconfigPath: string;
  namespace: string;
  serviceAccount: string;
  /** The pod that the token is bound to, as kubelet asks for one; absent: none. */
  pod?: { name: string; uid: string };
}

/** Where Kubernetes mounts a pod's service account. */
const MOUNT = 'var/run/secrets/kubernetes.io/serviceaccount';
const TOKEN_LIFE_SECONDS = 3_600;

/** What kubelet gives a pod: its service account's token and the cluster's CA, in a folder of their own. */
export class PodIdentity {
  private constructor(private readonly folder: TemporaryDirectory) {}

  /** Makes the service account where there is none. */
  static async create(options: PodIdentityOptions): Promise<PodIdentity> {
    const { kubeconfigPath, namespace, serviceAccount: name, pod } = options;
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromFile(kubeconfigPath);
    const core = kubeConfig.makeApiClient(CoreV1Api);
    await core
      .createNamespacedServiceAccount({ namespace, body: { metadata: { name } } })
      .catch((error: unknown) => {
        if (!(error instanceof ApiException && error.code === 409)) throw error;
      });
    const { status } = await core.createNamespacedServiceAccountToken({
      namespace,
      name,
      body: {
        spec: {
          audiences: [],
          expirationSeconds: TOKEN_LIFE_SECONDS,
          ...(pod ? { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', ...pod } } : {}),
        },
      },
    });
    const ca = kubeConfig.getCurrentCluster()?.caData ?? '';
    const folder = await TemporaryDirectory.create('eni-pod-');
    await mkdir(join(folder.path, MOUNT), { recursive: true });
    await writeFile(join(folder.path, MOUNT, 'token'), status?.token ?? '', { mode: 0o600 });
    await writeFile(join(folder.path, MOUNT, 'ca.crt'), Buffer.from(ca, 'base64'));
    return new PodIdentity(folder);
  }

  /** The environment of a process that has it, with the API server at that host and port. */
  env({ host, port }: { host: string; port: number }): Record<string, string> {
    return {
      KUBERNETES_SERVICE_HOST: host,
      KUBERNETES_SERVICE_PORT: String(port),
      CONTAINER_SANDBOX_MOUNT_POINT: this.folder.path,
    };
  }

  async delete(): Promise<void> {
    await this.folder.remove();
  }
}
