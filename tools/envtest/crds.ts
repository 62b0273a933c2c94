import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  ApiException,
  ApiextensionsV1Api,
  CustomObjectsApi,
  type KubeConfig,
  PatchStrategy,
  setHeaderOptions,
  type V1CustomResourceDefinition,
} from '@kubernetes/client-node';
import { parseAllDocuments } from 'yaml';

const FIELD_MANAGER = 'eni-operator-envtest';
const SERVED_TIMEOUT_MS = 30_000;
const POLL_MS = 50;

/** The API server took a CustomResourceDefinition but did not serve it. */
class CrdNotServedError extends Error {
  override readonly name = 'CrdNotServedError';

  constructor(
    readonly crd: string,
    readonly reason: string,
  ) {
    super(`${crd} is not served after ${SERVED_TIMEOUT_MS / 1000} s: ${reason}`);
  }
}

/**
 * Applies (server-side) every CustomResourceDefinition in the `*.yaml` files of `dir`, leaving
 * other kinds alone, and waits until each is Established and each served version can be listed.
 * @throws CrdNotServedError; the client's ApiException when the API server refuses one
 */
export async function applyCrds(config: KubeConfig, dir: string): Promise<void> {
  const crds = await readCrds(dir);
  const api = config.makeApiClient(ApiextensionsV1Api);
  for (const crd of crds) {
    await api.patchCustomResourceDefinition(
      { name: crd.metadata.name, body: crd, fieldManager: FIELD_MANAGER, force: true },
      setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply),
    );
  }
  await Promise.all(crds.map((crd) => untilServed(config, crd.metadata.name)));
}

interface NamedCrd {
  kind: 'CustomResourceDefinition';
  metadata: { name: string };
}

async function readCrds(dir: string): Promise<NamedCrd[]> {
  const names = (await readdir(dir)).filter((name) => name.endsWith('.yaml')).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(dir, name), 'utf8')));
  return texts
    .flatMap((text) => parseAllDocuments(text).map((document): unknown => document.toJS()))
    .filter(isCrd);
}

function isCrd(value: unknown): value is NamedCrd {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    value.kind === 'CustomResourceDefinition'
  );
}

async function untilServed(config: KubeConfig, name: string): Promise<void> {
  const deadline = Date.now() + SERVED_TIMEOUT_MS;
  const api = config.makeApiClient(ApiextensionsV1Api);
  for (;;) {
    const crd = await api.readCustomResourceDefinition({ name });
    const obstacle = notEstablished(crd) ?? (await notListed(config, crd));
    if (obstacle === undefined) return;
    if (Date.now() > deadline) throw new CrdNotServedError(name, obstacle);
    await delay(POLL_MS);
  }
}

function notEstablished(crd: V1CustomResourceDefinition): string | undefined {
  const conditions = crd.status?.conditions ?? [];
  if (conditions.some(({ type, status }) => type === 'Established' && status === 'True')) return;
  const unmet = conditions.filter(({ status }) => status === 'False');
  return (
    unmet.map(({ type, message }) => `${type}: ${message}`).join('; ') || 'it has no condition'
  );
}

/** Established comes a moment before the first list works. */
async function notListed(
  config: KubeConfig,
  { spec }: V1CustomResourceDefinition,
): Promise<string | undefined> {
  const api = config.makeApiClient(CustomObjectsApi);
  for (const { name: version } of spec.versions.filter(({ served }) => served)) {
    try {
      await api.listCustomObjectForAllNamespaces({
        group: spec.group,
        version,
        resourcePlural: spec.names.plural,
        limit: 1,
      });
    } catch (error) {
      if (!(error instanceof ApiException)) throw error;
      return `listing ${version} answers ${error.code}`;
    }
  }
  return undefined;
}
