import { type Cluster, KubeConfig } from '@kubernetes/client-node';
import type { KubeAccess } from '../../../../src/runtime/kube/access/kube-access.js';
import { KubeConfigAccess } from '../../../../src/runtime/kube/access/kubeconfig-access.js';
import {
  HttpKubeClient,
  type HttpKubeClientOptions,
} from '../../../../src/runtime/kube/http/http-kube-client.js';
import type {
  KubeObject,
  ObjectMeta,
  ResourceType,
} from '../../../../src/runtime/kube/resource.js';
import { RecordingLogger } from '../../../support/recording-logger.js';

export class ConfigMap implements KubeObject {
  static readonly resource = {
    group: '',
    version: 'v1',
    plural: 'configmaps',
    kind: 'ConfigMap',
    namespaced: true,
  };

  metadata!: ObjectMeta;
  data?: Record<string, string>;
}

const NAMESPACES: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'namespaces',
  kind: 'Namespace',
  namespaced: false,
};

/** The cluster of that kubeconfig, reached in another way where one is given. */
export function accessOf(
  path: string,
  other: Partial<Pick<Cluster, 'server' | 'proxyUrl'>> = {},
): KubeAccess {
  const config = new KubeConfig();
  config.loadFromFile(path);
  config.clusters = config.clusters.map((cluster) => ({ ...cluster, ...other }));
  return KubeConfigAccess.create(config);
}

export function clientOf(
  access: KubeAccess,
  options: Partial<HttpKubeClientOptions> = {},
): HttpKubeClient {
  return HttpKubeClient.create({ access, logger: new RecordingLogger(), ...options });
}

/** Makes a namespace of a name that no other test has. */
export async function newNamespace(client: HttpKubeClient): Promise<string> {
  const name = `runtime-${crypto.randomUUID().slice(0, 8)}`;
  await client.create(NAMESPACES, { metadata: { name } });
  return name;
}

/** Does `work` for each item, `parallel` of them at once, begun in order. */
export async function forEachParallel<T>(
  items: readonly T[],
  parallel: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const rest = items.values();
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      for (const item of rest) await work(item);
    }),
  );
}
