import { errors } from '../api-error.js';
import type { Query } from '../protocol/query.js';
import type { XmlValue } from '../protocol/xml.js';
import { checkId } from '../region/ids.js';
import type { Tags } from '../region/model.js';
import type { Region } from '../region/region.js';

export interface Tag {
  key: string;
  /** Absent where DeleteTags asks for the key alone. */
  value?: string | undefined;
}

// EC2's documentation, "Tag restrictions".
const MAX_TAGS = 50;
const MAX_KEY = 128;
const MAX_VALUE = 256;

/** `tags` and, above them, `added`. @throws ApiError where EC2 would not have them. */
export function checkTags(tags: Tags, added: readonly Tag[]): Record<string, string> {
  for (const { key, value = '' } of added) {
    if (key.startsWith('aws:')) {
      throw errors.invalidValue("Tag keys starting with 'aws:' are reserved for internal use");
    }
    if (key.length > MAX_KEY) {
      throw errors.invalidValue(`Tag key exceeds the maximum length of ${MAX_KEY} characters`);
    }
    if (value.length > MAX_VALUE) {
      throw errors.invalidValue(`Tag value exceeds the maximum length of ${MAX_VALUE} characters`);
    }
  }
  const all = { ...tags, ...Object.fromEntries(added.map(({ key, value = '' }) => [key, value])) };
  if (Object.keys(all).length > MAX_TAGS) {
    throw errors.tooManyTags();
  }
  return all;
}

function withoutTags(tags: Tags, removed: readonly Tag[]): Record<string, string> {
  const kept = Object.entries(tags).filter(
    ([key, value]) =>
      !removed.some((tag) => tag.key === key && (tag.value === undefined || tag.value === value)),
  );
  return Object.fromEntries(kept);
}

export function createTags(query: Query, region: Region): XmlValue {
  const added = query
    .structures('Tag')
    .map((tag) => ({ key: tag.required('Key'), value: tag.text('Value') ?? '' }));
  if (added.length === 0) {
    throw errors.missingParameter('tagSet');
  }
  retag(region, resourceIds(query), (tags) => checkTags(tags, added));
  return { return: true };
}

export function deleteTags(query: Query, region: Region): XmlValue {
  const removed = query
    .structures('Tag')
    .map((tag) => ({ key: tag.required('Key'), value: tag.text('Value') }));
  retag(region, resourceIds(query), (tags) =>
    removed.length > 0 ? withoutTags(tags, removed) : {},
  );
  return { return: true };
}

/** Adds tags to resources of any kind. @throws ApiError for an unknown one, or tags that EC2 would not have. */
export function writeTags(region: Region, ids: readonly string[], added: Tags): void {
  const list = Object.entries(added).map(([key, value]) => ({ key, value }));
  retag(region, ids, (tags) => checkTags(tags, list));
}

function resourceIds(query: Query): string[] {
  const ids = query.list('ResourceId');
  if (ids.length === 0) {
    throw errors.missingParameter('resourceIdSet');
  }
  return ids;
}

/** Changes all of the resources, or none. */
function retag(region: Region, ids: readonly string[], change: (tags: Tags) => Tags): void {
  const writes = ids.map((id) => prepare(region, id, change));
  for (const write of writes) {
    write();
  }
}

function prepare(region: Region, id: string, change: (tags: Tags) => Tags): () => void {
  if (id.startsWith('eni-')) {
    const eni = region.enis.writable(checkId('interface', id));
    if (!eni) {
      throw errors.interfacesNotFound([id]);
    }
    const tags = change(eni.tags);
    return () => region.enis.put({ ...eni, tags });
  }
  const write =
    prepareIn(region.instances, id, change) ??
    prepareIn(region.subnets, id, change) ??
    prepareIn(region.groups, id, change) ??
    prepareIn(region.elasticIps, id, change) ??
    prepareIn(region.vpcs, id, change);
  if (write) {
    return write;
  }
  throw id.startsWith('i-') ? errors.instancesNotFound([id]) : errors.unknownResource(id);
}

function prepareIn<T extends { readonly tags: Tags }>(
  resources: Map<string, T>,
  id: string,
  change: (tags: Tags) => Tags,
): (() => void) | undefined {
  const resource = resources.get(id);
  if (!resource) {
    return undefined;
  }
  const tags = change(resource.tags);
  return () => void resources.set(id, { ...resource, tags });
}
