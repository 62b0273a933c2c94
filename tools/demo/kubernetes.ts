import { KubeConfig, VersionApi } from '@kubernetes/client-node';
import { ENIAttachment } from '../../src/api/eni-attachment.js';
import { NodeENI } from '../../src/api/node-eni.js';
import { KubeConfigAccess } from '../../src/runtime/kube/access/kubeconfig-access.js';
import type { KubeClient } from '../../src/runtime/kube/kube-client.js';
import type { ResourceType } from '../../src/runtime/kube/resource.js';
import { BaseStage } from '../stage/base-stage.js';
import { MULTUS_CRDS } from '../stage/host/pod-runtime.js';
import { StageParts } from '../stage/stage-parts.js';
import type { Lifeline } from './lifeline.js';
import { TableClient } from './table-client.js';
import { WatchedTable } from './watched-table.js';

export interface KubernetesOptions {
  lifeline: Lifeline;
  /** Whether it has Multus' kind, too. */
  multus: boolean;
}

interface View {
  kubeconfigPath: string;
  /** The API server's, `v1.36.3`. */
  version: string;
  tables: TableClient;
  nodeENIs: WatchedTable;
  attachments: WatchedTable;
}

/** A control plane with our CRDs, and the tables that the demo shows of it. */
export class Kubernetes extends BaseStage {
  private constructor(
    private readonly view: Readonly<View>,
    kube: KubeClient,
    parts: StageParts,
  ) {
    super(kube, parts);
  }

  /** A watch that ends before its time fails the lifeline. @throws as ControlPlane.start() does */
  static async start({ lifeline, multus }: KubernetesOptions): Promise<Kubernetes> {
    await using parts = new StageParts();
    // A logger that is silent: etcd and kube-apiserver have nothing to say to a newcomer.
    const controlPlane = await parts.controlPlane({ logger: () => {} });
    if (multus) await controlPlane.applyCrds(MULTUS_CRDS);
    const { kubeconfigPath } = controlPlane;
    const kube = parts.kube(kubeconfigPath);
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromFile(kubeconfigPath);
    const tables = TableClient.create({ access: KubeConfigAccess.create(kubeConfig) });
    parts.defer(() => tables.close());

    const ended = new AbortController();
    parts.defer(() => ended.abort());
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
    const view = { kubeconfigPath, version, tables, nodeENIs, attachments };
    return new Kubernetes(view, kube, parts.move());
  }

  get kubeconfigPath(): string {
    return this.view.kubeconfigPath;
  }

  get version(): string {
    return this.view.version;
  }

  get tables(): TableClient {
    return this.view.tables;
  }

  get nodeENIs(): WatchedTable {
    return this.view.nodeENIs;
  }

  get attachments(): WatchedTable {
    return this.view.attachments;
  }
}
