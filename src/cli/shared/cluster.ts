import { ENIAttachment } from '../../api/eni-attachment.js';
import { Node } from '../../api/node.js';
import { NodeENI } from '../../api/node-eni.js';
import type { HttpKubeClient } from '../../runtime/kube/http/http-kube-client.js';
import type { KubeObject, ResourceType } from '../../runtime/kube/resource.js';
import { type ConfigMap, KINDS, type Pod, SELECTORS, type Workload } from './kinds.js';

export interface ClusterOptions {
  client: HttpKubeClient;
  /** Where the operator runs. Default: all namespaces are searched. */
  namespace?: string | undefined;
  signal: AbortSignal;
}

/** Objects per page: a large cluster has 10,000 attachments. */
const PAGE_SIZE = 500;

/** Reads the cluster. All methods throw the errors of {@link KubeClient}. */
export class Cluster {
  constructor(private readonly options: ClusterOptions) {}

  get client(): HttpKubeClient {
    return this.options.client;
  }

  nodeENIs(): Promise<NodeENI[]> {
    return this.all<NodeENI>(NodeENI.resource);
  }

  attachments(): Promise<ENIAttachment[]> {
    return this.all<ENIAttachment>(ENIAttachment.resource);
  }

  nodes(): Promise<Node[]> {
    return this.all<Node>(Node.resource);
  }

  controllers(): Promise<Workload[]> {
    return this.operators<Workload>(KINDS.deployments, SELECTORS.controller);
  }

  agents(): Promise<Workload[]> {
    return this.operators<Workload>(KINDS.daemonSets, SELECTORS.agent);
  }

  pods(labelSelector: string): Promise<Pod[]> {
    return this.operators<Pod>(KINDS.pods, labelSelector);
  }

  configMap(namespace: string, name: string): Promise<ConfigMap> {
    return this.client.get<ConfigMap>(KINDS.configMaps, { namespace, name }, this.options);
  }

  /** The UID of the `kube-system` namespace, which identifies the cluster in the tags of its ENIs. */
  async uid(): Promise<string> {
    const { metadata } = await this.client.get<KubeObject>(
      KINDS.namespaces,
      { name: 'kube-system' },
      this.options,
    );
    return metadata.uid;
  }

  /** All objects of a kind. */
  async all<T extends KubeObject>(
    resource: ResourceType,
    selection: { labelSelector?: string; namespace?: string | undefined } = {},
  ): Promise<T[]> {
    const { signal } = this.options;
    const items: T[] = [];
    let next: string | undefined;
    do {
      const page = await this.client.list<T>(resource, {
        ...selection,
        limit: PAGE_SIZE,
        continue: next,
        signal,
      });
      items.push(...page.items);
      next = page.continue;
    } while (next !== undefined);
    return items;
  }

  private operators<T extends KubeObject>(
    resource: ResourceType,
    labelSelector: string,
  ): Promise<T[]> {
    return this.all<T>(resource, { labelSelector, namespace: this.options.namespace });
  }
}
