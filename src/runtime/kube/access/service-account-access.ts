import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import {
  type ApiServer,
  type KubeAccess,
  KubeConfigError,
  type KubeCredentials,
} from './kube-access.js';

/** Where a pod finds its service account's token and the cluster's CA. */
const DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount';

export interface ServiceAccountOptions {
  env: Readonly<Record<string, string | undefined>>;
  /**
   * Contains `token` and `ca.crt`. Default: where Kubernetes mounts them, below
   * `CONTAINER_SANDBOX_MOUNT_POINT` if that is set (client-go's rule).
   */
  directory?: string | undefined;
}

/** The API server as a pod reaches it, with the pod's service account. */
export class ServiceAccountAccess implements KubeAccess {
  private constructor(
    readonly server: ApiServer,
    private readonly directory: string,
  ) {}

  /** @returns undefined outside a pod. */
  static find({ env, ...options }: ServiceAccountOptions): KubeAccess | undefined {
    const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
    const { directory = join(env.CONTAINER_SANDBOX_MOUNT_POINT ?? '/', DIRECTORY) } = options;
    if (!host || !port) return undefined;
    const url = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`;
    return new ServiceAccountAccess({ url }, directory);
  }

  /** @throws KubeConfigError if a file cannot be read or is empty. */
  async credentials(): Promise<KubeCredentials> {
    const [token, ca] = await Promise.all([this.read('token'), this.read('ca.crt')]);
    return { headers: { authorization: `Bearer ${token}` }, tls: { ca } };
  }

  private async read(name: string): Promise<string> {
    const path = join(this.directory, name);
    const text = await readFile(path, 'utf8').catch((cause: unknown) => {
      throw new KubeConfigError(`The service account's ${name} cannot be read`, { cause });
    });
    const content = text.trim();
    if (content === '')
      throw new KubeConfigError(`The service account's ${name} is empty: ${path}`);
    return content;
  }
}
