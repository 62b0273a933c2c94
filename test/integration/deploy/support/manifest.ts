import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
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
 * @param cwd a folder that has the project's files; the project's own unset
 */
export async function render(
  overlay: Overlay,
  env: Readonly<Record<string, string>> = {},
  cwd = '.',
): Promise<Manifest[]> {
  const { stdout } = await run(resolve('tools/kustomize/render.sh'), [overlay], {
    env: { ...process.env, ...env },
    maxBuffer: 2 ** 24,
    cwd,
  });
  return parseManifests(stdout);
}

/** Like {@link render}, with other ports in the one file that the component ports has for them. */
export async function renderWithPorts(
  overlay: Overlay,
  ports: Readonly<Record<string, number>>,
  env: Readonly<Record<string, string>> = {},
): Promise<Manifest[]> {
  const dir = await mkdtemp(join(tmpdir(), 'eni-ports-'));
  try {
    for (const folder of ['crds', 'kustomize', 'manifests']) {
      await cp(folder, join(dir, folder), { recursive: true });
    }
    const file = join(dir, 'kustomize/components/ports/ports.yaml');
    let text = await readFile(file, 'utf8');
    for (const [name, port] of Object.entries(ports)) {
      text = text.replace(new RegExp(`(${name}: )"\\d+"`), `$1"${port}"`);
    }
    await writeFile(file, text);
    return await render(overlay, env, dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** The objects of an overlay in an installation of its own namespace and names. */
export async function renderRenamed(
  overlay: Overlay,
  { namespace, prefix, suffix }: { namespace: string; prefix: string; suffix: string },
  components: readonly string[] = [],
): Promise<Manifest[]> {
  await mkdir('dist', { recursive: true });
  const dir = await mkdtemp('dist/renamed-');
  try {
    const kustomization = {
      namespace,
      namePrefix: prefix,
      nameSuffix: suffix,
      resources: [`../../kustomize/overlays/${overlay}`],
      components: components.map((name) => `../../kustomize/components/${name}`),
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
