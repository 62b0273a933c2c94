import { KubeConfig } from '@kubernetes/client-node';
import { findAssets } from './assets.js';
import type { Cluster, KubeconfigUser } from './cluster.js';
import { applyCrds } from './crds.js';
import { ExistingCluster } from './existing-cluster.js';
import { LocalCluster } from './local-cluster.js';

export interface ControlPlaneOptions {
  /** Writes an audit log of all requests; off unset. */
  auditLog?: boolean;
  /** Receives each line that etcd and kube-apiserver print, and the progress of a first build. */
  logger?: (line: string) => void;
  /** Flags after our own, so that they win. */
  extraApiServerFlags?: string[];
  /** A directory for etcd's data and all other files, kept at the end. Unset: a temporary one. */
  dataDir?: string;
}

/**
 * A real kube-apiserver and etcd for tests. No kube-controller-manager and no scheduler run: no
 * object is deleted because its owner is, no Deployment makes pods, no service account named
 * "default" appears in a new namespace, and a deleted namespace stays Terminating.
 *
 * Whatever the process that started it dies of, its children and its temporary files go with it.
 * Running, it keeps no process from ending.
 *
 * With `USE_EXISTING_CLUSTER=true` in the environment it is the cluster of the current kubeconfig,
 * and what would stop or alter that cluster throws NotOurClusterError.
 */
export class ControlPlane {
  private constructor(private readonly cluster: Cluster) {}

  /**
   * Resolves once the API server is ready and the namespaces default and kube-system exist.
   * @throws AssetError when there are no binaries, ProcessStartError when one does not come up
   */
  static async start(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
    if (process.env.USE_EXISTING_CLUSTER === 'true') {
      return new ControlPlane(await ExistingCluster.find());
    }
    const { auditLog = false, logger, extraApiServerFlags = [], dataDir } = options;
    const assets = await findAssets({ logger });
    return new ControlPlane(
      await LocalCluster.start({ assets, auditLog, logger, extraApiServerFlags, dataDir }),
    );
  }

  /** https://127.0.0.1:PORT; the same after a restart. */
  get server(): string {
    return this.cluster.server;
  }

  /** A kubeconfig, mode 0600, of a user who may do everything. */
  get kubeconfigPath(): string {
    return this.cluster.kubeconfigPath;
  }

  /**
   * One JSON event (audit.k8s.io/v1, level Metadata) a line, written before the request is
   * answered. A watch has two events: one of stage ResponseStarted, and ResponseComplete at its end.
   */
  get auditLogPath(): string | undefined {
    return this.cluster.auditLogPath;
  }

  /** Writes a kubeconfig, mode 0600, for a user that need not exist, or for a bearer token. */
  kubeconfigFor(user: KubeconfigUser): Promise<string> {
    return this.cluster.kubeconfigFor(user);
  }

  /**
   * Applies (server-side) the CustomResourceDefinitions in the `*.yaml` files of `dir`, and waits
   * until each is Established and can be listed.
   * @throws CrdNotServedError
   */
  async applyCrds(dir: string): Promise<void> {
    const config = new KubeConfig();
    config.loadFromFile(this.kubeconfigPath);
    await applyCrds(config, dir);
  }

  /** Stops the API server and starts it again, on the same port and the same etcd. */
  async restartApiServer(): Promise<void> {
    await this.stopApiServer();
    await this.startApiServer();
  }

  /** Ends the API server and with it every watch; etcd keeps running. */
  stopApiServer(): Promise<void> {
    return this.cluster.stopApiServer();
  }

  /** Resolves once the API server is ready again. */
  startApiServer(): Promise<void> {
    return this.cluster.startApiServer();
  }

  /**
   * Drops etcd's history up to the current resourceVersion.
   *
   * What answers 410 Expired then, to a resourceVersion older than that (as seen on v1.36):
   * - after `restartApiServer()`: everything. A watch answers 200 and one ERROR event with code
   *   410, a list at an exact resourceVersion answers 410 itself.
   * - without a restart: nothing, for the watch cache still holds the history, …
   * - … unless `extraApiServerFlags` has `--watch-cache=false`: then everything, at once.
   *
   * So a test of a client that falls behind compacts and restarts.
   */
  compact(): Promise<void> {
    return this.cluster.compact();
  }

  /** Copies etcd's data as it is now; returns the copy's path, for {@link restore}. */
  backUp(): Promise<string> {
    return this.cluster.backUp();
  }

  /**
   * Ends both processes by SIGKILL and starts them again on a copy that {@link backUp} made: resourceVersions go
   * back to that time. Resolves once the API server is ready.
   */
  restore(backup: string): Promise<void> {
    return this.cluster.restore(backup);
  }

  /** Ends both processes and removes the temporary directory; idempotent. */
  stop(): Promise<void> {
    return this.cluster.stop();
  }
}
