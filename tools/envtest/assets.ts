import { access, constants, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { buildAssets } from './build-assets.js';
import { cacheRoot, type Environment, moduleKey } from './build-go.js';

/** Paths of executable files. */
export interface Assets {
  kubeApiServer: string;
  etcd: string;
}

export interface FindAssetsOptions {
  /** Environment variables; `process.env` unset. */
  env?: Environment;
  /** The Go module that both binaries are built from; tools/envtest/control-plane unset. */
  moduleDir?: string;
  /** Where kubebuilder installs its binaries; /usr/local/kubebuilder/bin unset. */
  systemDir?: string;
  /** Builds both binaries into a directory; `go build` unset. */
  build?: typeof buildAssets;
  /** Receives the progress of a build; it goes to standard error unset. */
  logger?: ((line: string) => void) | undefined;
}

/** An environment variable names a binary that is not there, or that cannot be executed. */
export class AssetError extends Error {
  override readonly name = 'AssetError';
}

const MODULE_DIR = 'tools/envtest/control-plane';
const SYSTEM_DIR = '/usr/local/kubebuilder/bin';

/**
 * Finds kube-apiserver and etcd, each on its own: `TEST_ASSET_KUBE_APISERVER` and `TEST_ASSET_ETCD`,
 * `$KUBEBUILDER_ASSETS`, the project's cache, `/usr/local/kubebuilder/bin` (controller-runtime's
 * names and order, with the cache between). If one is nowhere, builds both into the cache.
 * @throws AssetError when a variable names a missing file, BuildError when the build is impossible
 */
export async function findAssets(options: FindAssetsOptions = {}): Promise<Assets> {
  const env = options.env ?? process.env;
  const moduleDir = resolve(options.moduleDir ?? MODULE_DIR);
  const cacheDir = join(cacheRoot(env), 'envtest', await moduleKey(moduleDir));
  const fallbacks = [cacheDir, options.systemDir ?? SYSTEM_DIR];
  const find = async (name: string, variable: string): Promise<string | undefined> =>
    (await named(env, variable)) ??
    (await inKubebuilderAssets(env, name)) ??
    (await firstExecutable(fallbacks.map((dir) => join(dir, name))));

  const kubeApiServer = await find('kube-apiserver', 'TEST_ASSET_KUBE_APISERVER');
  const etcd = await find('etcd', 'TEST_ASSET_ETCD');
  if (kubeApiServer && etcd) return { kubeApiServer, etcd };

  const build = options.build ?? buildAssets;
  await build({ moduleDir, cacheDir, env, logger: options.logger });
  return {
    kubeApiServer: kubeApiServer ?? join(cacheDir, 'kube-apiserver'),
    etcd: etcd ?? join(cacheDir, 'etcd'),
  };
}

async function named(env: Environment, variable: string): Promise<string | undefined> {
  const path = env[variable];
  if (!path) return undefined;
  if (await isExecutable(path)) return path;
  throw new AssetError(`${variable} names ${path}, which is not an executable file`);
}

async function inKubebuilderAssets(env: Environment, name: string): Promise<string | undefined> {
  const dir = env.KUBEBUILDER_ASSETS;
  if (!dir) return undefined;
  const path = join(dir, name);
  if (await isExecutable(path)) return path;
  throw new AssetError(`KUBEBUILDER_ASSETS names ${dir}, which has no executable file ${name}`);
}

async function firstExecutable(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) if (await isExecutable(path)) return path;
  return undefined;
}

/** Whether it is a file that this process may execute. */
export async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
