import { join, resolve } from 'node:path';
import { isExecutable } from '../envtest/assets.js';
import { buildGo, cacheRoot, type Environment, moduleKey } from '../envtest/build-go.js';

/** Kubernetes' programs beside kube-apiserver, and what containerd runs as a pod's first process. */
const BINARIES = [
  'kubectl',
  'kubelet',
  'kube-scheduler',
  'kube-controller-manager',
  'kube-proxy',
  'pause',
] as const;

/** Paths of executable files. */
export type NodeBinaries = Readonly<Record<(typeof BINARIES)[number], string>> & {
  /** The folder that has them all. */
  dir: string;
};

const MODULE_DIR = 'tools/real-node/binaries';
const INTRODUCTION =
  'Building kubelet, kube-proxy and what else a cluster needs from source, once: about 5 minutes on 2 cores.';

export interface FindNodeBinariesOptions {
  /** Environment variables; `process.env` unset. */
  env?: Environment;
  /** Receives the progress of a build; it goes to standard error unset. */
  logger?: ((line: string) => void) | undefined;
}

/** Finds the programs in the user's cache, or builds them there. @throws GoBuildError */
export async function findNodeBinaries(
  options: FindNodeBinariesOptions = {},
): Promise<NodeBinaries> {
  const { env = process.env, logger } = options;
  const moduleDir = resolve(MODULE_DIR);
  const dir = join(cacheRoot(env), 'real-node', 'binaries', await moduleKey(moduleDir));
  const paths = Object.fromEntries(BINARIES.map((name) => [name, join(dir, name)]));
  const found = await Promise.all(Object.values(paths).map(isExecutable));
  if (!found.every(Boolean)) {
    const introduction = INTRODUCTION;
    await buildGo({ moduleDir, binaries: BINARIES, cacheDir: dir, env, introduction, logger });
  }
  return { ...paths, dir } as NodeBinaries;
}
