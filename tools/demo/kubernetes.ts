import { KubeConfig, VersionApi } from '@kubernetes/client-node';
import { ENIAttachment } from '../../src/api/eni-attachment.js';
import { NodeENI } from '../../src/api/node-eni.js';
import { KubeConfigAccess } from '../../src/runtime/kube/access/kubeconfig-access.js';
import { HttpKubeClient } from '../../src/runtime/kube/http-kube-client.js';
import type { KubeClient } from '../../src/runtime/kube/kube-client.js';
import type { ResourceType } from '../../src/runtime/kube/resource.js';
import { ControlPlane } from '../envtest/control-plane.js';
import { silentLogger } from '../stage/silent-logger.js';
import type { Lifeline } from './lifeline.js';
import { TableClient } from './table-client.js';
import { WatchedTable } from './watched-table.js';

interface Parts {
  kubeconfigPath: string;
  /** As the API server tells it, `v1.36.3`. */
  version: string;
  kube: KubeClient;
  tables: TableClient;
  nodeENIs: WatchedTable;
  attachments: WatchedTable;
}

/** A control plane with our CRDs, and what the demo sees it through. */
export class Kubernetes implements AsyncDisposable {
  private constructor(
    readonly parts: Readonly<Parts>,
    private readonly undo: AsyncDisposableStack,
  ) {}

  /** A watch that ends before its time fails the lifeline. @throws as ControlPlane.start() does */
  static async start({ lifeline }: { lifeline: Lifeline }): Promise<Kubernetes> {
    await using undo = new AsyncDisposableStack();
    // A logger that is silent: etcd and kube-apiserver have nothing to say to a newcomer.
    const controlPlane = await ControlPlane.start({ logger: () => {} });
    undo.defer(() => controlPlane.stop());
    await controlPlane.applyCrds('crds');

    const { kubeconfigPath } = controlPlane;
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromFile(kubeconfigPath);
    const access = KubeConfigAccess.create(kubeConfig);
    const kube = HttpKubeClient.create({ access, logger: silentLogger });
    undo.defer(() => kube.close());
    const tables = TableClient.create({ access });
    undo.defer(() => tables.close());

    const ended = new AbortController();
    undo.defer(() => ended.abort());
    const watch = (resource: ResourceType): WatchedTable =>
      WatchedTable.open({
        client: tables,
        resource,
        signal: ended.signal,
        failed: (error) => lifeline.fail(error),
      });
    const nodeENIs = watch(NodeENI.resource);
    const attachments = watch(ENIAttachment.resource);
    const { gitVersion: version } = await kubeConfig.makeApiClient(VersionApi).getCode();
    return new Kubernetes(
      { kubeconfigPath, version, kube, tables, nodeENIs, attachments },
      undo.move(),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.undo.disposeAsync();
  }
}
