import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { stringify } from 'yaml';
import type { Cluster, KubeconfigUser } from './cluster.js';
import { writePrivate } from './kubeconfig.js';
import { TemporaryDirectory } from './temporary-directory.js';

/** The cluster was not started here, so it is not ours to stop or to lose history of. */
export class NotOurClusterError extends Error {
  override readonly name = 'NotOurClusterError';

  constructor(readonly operation: string) {
    super(
      `cannot ${operation}: USE_EXISTING_CLUSTER names a cluster that this program did not start`,
    );
  }
}

/** The cluster of the current kubeconfig (`KUBECONFIG`, or `~/.kube/config`). Nothing is started. */
export class ExistingCluster implements Cluster {
  private kubeconfigs = 0;

  private constructor(
    readonly server: string,
    readonly kubeconfigPath: string,
    private readonly config: KubeConfig,
    private readonly dir: TemporaryDirectory,
  ) {}

  /** @throws Error when the kubeconfig names no cluster. */
  static async find(): Promise<ExistingCluster> {
    const config = new KubeConfig();
    config.loadFromDefault();
    const server = config.getCurrentCluster()?.server;
    if (!server) {
      throw new Error('USE_EXISTING_CLUSTER is set, but the kubeconfig has no current cluster');
    }
    const dir = await TemporaryDirectory.create('eni-operator-envtest-');
    const path = join(dir.path, 'admin.kubeconfig');
    await writePrivate(path, config.exportConfig());
    return new ExistingCluster(server, path, config, dir);
  }

  /**
   * A user is impersonated, which the kubeconfig's own user must be allowed to do. client-node
   * sends an impersonated user's name only; kubectl sends the groups too.
   */
  async kubeconfigFor(user: KubeconfigUser): Promise<string> {
    const cluster = this.config.getCurrentCluster();
    const own = this.config.exportConfig();
    const { users } = JSON.parse(own) as { users: { name: string; user: object }[] };
    const current = users.find(({ name }) => name === this.config.getCurrentUser()?.name);
    const entry =
      'token' in user
        ? { token: user.token }
        : { ...current?.user, as: user.name, 'as-groups': [...(user.groups ?? [])] };
    const { clusters } = JSON.parse(own) as { clusters: { name: string }[] };
    const path = join(this.dir.path, `user-${++this.kubeconfigs}.kubeconfig`);
    const context = { cluster: cluster?.name, user: 'user' };
    await writePrivate(
      path,
      stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: clusters.filter(({ name }) => name === cluster?.name),
        users: [{ name: 'user', user: entry }],
        contexts: [{ name: 'envtest', context }],
        'current-context': 'envtest',
      }),
    );
    return path;
  }

  async startApiServer(): Promise<void> {
    throw new NotOurClusterError('start the API server');
  }

  async stopApiServer(): Promise<void> {
    throw new NotOurClusterError('stop the API server');
  }

  async compact(): Promise<void> {
    throw new NotOurClusterError('compact etcd');
  }

  async backUp(): Promise<string> {
    throw new NotOurClusterError('back up etcd');
  }

  async restore(): Promise<void> {
    throw new NotOurClusterError('restore etcd');
  }

  async stop(): Promise<void> {
    await this.dir.remove();
  }
}
