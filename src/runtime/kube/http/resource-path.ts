import type { ObjectName, Selection } from '../kube-client.js';
import type { ResourceType } from '../resource.js';

/** Path of a kind's collection on the API server: in one namespace, or in all. */
export function collectionPath(resource: ResourceType, namespace?: string): string {
  const { group, version, plural, namespaced } = resource;
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  return namespaced && namespace !== undefined
    ? `${root}/namespaces/${encodeURIComponent(namespace)}/${plural}`
    : `${root}/${plural}`;
}

/** Path of one object, or of its subresource. */
export function objectPath(resource: ResourceType, name: ObjectName, subresource?: string): string {
  const path = `${collectionPath(resource, name.namespace)}/${encodeURIComponent(name.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** A selection as a query, without unset members. */
export function selectionQuery({ fieldSelector, labelSelector }: Selection): Query {
  return { fieldSelector, labelSelector };
}

export type Query = Record<string, string | number | boolean | undefined>;

/** A path with its query, without undefined values. */
export function withQuery(path: string, query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return parameters.size === 0 ? path : `${path}?${parameters}`;
}
