import { parseAllDocuments } from 'yaml';
import { API_GROUP, API_VERSION } from '../../api/names.js';
import type { NodeENI } from '../../api/node-eni.js';
import { UsageError } from '../shared/exit-code.js';

/** A NodeENI as the user wrote it. */
export interface NodeENIManifest {
  metadata: Pick<NodeENI['metadata'], 'name' | 'labels' | 'annotations'>;
  spec: NodeENI['spec'];
}

/** The contents of a file. */
export interface Manifests {
  nodeENIs: NodeENIManifest[];
  /** `KIND NAME` of other objects, which have no plan. */
  others: string[];
}

interface AnyObject {
  apiVersion?: unknown;
  kind?: unknown;
  metadata?: { name?: unknown };
  spec?: unknown;
  items?: unknown[];
}

/**
 * Reads YAML or JSON with any number of documents, also a List.
 * @throws UsageError that names the source, the document and what is wrong
 */
export function readManifests(text: string, source: string): Manifests {
  const manifests: Manifests = { nodeENIs: [], others: [] };
  for (const [index, document] of parseAllDocuments(text).entries()) {
    const where = `${source}, document ${index + 1}`;
    const [error] = document.errors;
    if (error) throw new UsageError(`${where} is not YAML: ${error.message}`);
    const value: unknown = document.toJS();
    if (value !== null && value !== undefined) add(manifests, value, where);
  }
  if (manifests.nodeENIs.length === 0) throw new UsageError(`${source} has no NodeENI`);
  return manifests;
}

function add(manifests: Manifests, value: unknown, where: string): void {
  if (typeof value !== 'object' || value === null) {
    throw new UsageError(`${where} is not an object`);
  }
  const { apiVersion, kind, metadata, spec, items } = value as AnyObject;
  if (typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items)) {
    for (const item of items) add(manifests, item, where);
    return;
  }
  const { name } = metadata ?? {};
  if (typeof kind !== 'string' || typeof name !== 'string' || name === '') {
    throw new UsageError(`${where} has no kind or no metadata.name`);
  }
  if (kind !== 'NodeENI') {
    manifests.others.push(`${kind} ${name}`);
    return;
  }
  const expected = `${API_GROUP}/${API_VERSION}`;
  if (apiVersion !== expected) {
    throw new UsageError(`${where}: apiVersion must be ${expected}, not ${String(apiVersion)}`);
  }
  if (typeof spec !== 'object' || spec === null) throw new UsageError(`${where} has no spec`);
  manifests.nodeENIs.push(value as unknown as NodeENIManifest);
}
