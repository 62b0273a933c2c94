import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { parseAllDocuments, stringify } from 'yaml';

const run = promisify(execFile);

/** An object of a manifest, as far as tests look at all kinds alike. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
}

export const OVERLAYS = ['default', 'ha', 'networkd', 'monitoring', 'dev'] as const;
export type Overlay = (typeof OVERLAYS)[number];

/**
 * The objects of an overlay, as `make deploy` applies them.
 * @param env the edits that tools/kustomize/render.sh takes
 */
export async function render(
  overlay: Overlay,
  env: Readonly<Record<string, string>> = {},
): Promise<Manifest[]> {
  const { stdout } = await run('tools/kustomize/render.sh', [overlay], {
    env: { ...process.env, ...env },
    maxBuffer: 2 ** 24,
  });
  return parseManifests(stdout);
}

/** The objects of an overlay in an installation of its own namespace and names. */
export async function renderRenamed(
  overlay: Overlay,
  { namespace, prefix, suffix }: { namespace: string; prefix: string; suffix: string },
): Promise<Manifest[]> {
  await mkdir('dist', { recursive: true });
  const dir = await mkdtemp('dist/renamed-');
  try {
    const kustomization = {
      namespace,
      namePrefix: prefix,
      nameSuffix: suffix,
      resources: [`../../kustomize/overlays/${overlay}`],
    };
    await writeFile(`${dir}/kustomization.yaml`, stringify(kustomization));
    const { stdout } = await run('kubectl', ['kustomize', dir], { maxBuffer: 2 ** 24 });
    return parseManifests(stdout);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

export function parseManifests(text: string): Manifest[] {
  return parseAllDocuments(text).flatMap((document) => (document.toJS() as Manifest | null) ?? []);
}

/** The one object of that kind and name. @throws where there is none */
export function theOne<T = Manifest>(
  manifests: readonly Manifest[],
  kind: string,
  name: string,
): T {
  const found = manifests.find((each) => each.kind === kind && each.metadata.name === name);
  if (!found) throw new Error(`There is no ${kind} ${name}`);
  return found as T;
}
