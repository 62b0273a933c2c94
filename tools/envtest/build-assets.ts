import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { isAlive, withBuildLock } from './build-lock.js';
import { type BuildProgress, lineProgress, terminalProgress } from './build-progress.js';

export interface BuildAssetsOptions {
  /** The Go module; one folder a binary. */
  moduleDir: string;
  /** Where the binaries end up; created if missing. */
  cacheDir: string;
  /** The environment of `go build`. */
  env: Readonly<Record<string, string | undefined>>;
  /** Receives a line at the start, every 15 s and at the end. Unset: standard error. */
  logger?: ((line: string) => void) | undefined;
}

/** The binaries cannot be built here; the message says what the reader can do instead. */
export class BuildError extends Error {
  override readonly name = 'BuildError';

  constructor(readonly problem: string) {
    super(
      `No kube-apiserver and etcd were found, and building them failed: ${problem}\n` +
        'Do one of these: set KUBEBUILDER_ASSETS to a folder that has both (setup-envtest use -p path), ' +
        'install Go 1.26 or newer and run this again, ' +
        'or set USE_EXISTING_CLUSTER=true to use the cluster of your kubeconfig.',
    );
  }
}

const BINARIES = ['etcd', 'kube-apiserver'];

/**
 * Builds etcd and kube-apiserver into `cacheDir`. Processes that build at the same time wait for
 * the first; each binary appears whole, by a rename.
 * @throws BuildError
 */
export async function buildAssets(options: BuildAssetsOptions): Promise<void> {
  const { cacheDir, logger } = options;
  await mkdir(cacheDir, { recursive: true });
  const progress = logger ? lineProgress(logger) : terminalProgress(process.stderr);
  try {
    await withBuildLock({ dir: cacheDir, files: BINARIES, onWait: progress.waiting }, () =>
      buildInto(options, progress),
    );
  } finally {
    progress.end();
  }
}

async function buildInto(options: BuildAssetsOptions, progress: BuildProgress): Promise<void> {
  const { moduleDir, cacheDir, env } = options;
  progress.begin();
  await removeAbandonedBuilds(cacheDir);
  const scratch = await mkdtemp(join(cacheDir, `build-${process.pid}-`));
  try {
    const version = await kubernetesVersion(moduleDir);
    for (const name of BINARIES) {
      progress.step(name);
      await goBuild({ moduleDir, env, folder: name, output: join(scratch, name), version });
    }
    for (const name of BINARIES) await rename(join(scratch, name), join(cacheDir, name));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** What processes left that were killed while building. */
async function removeAbandonedBuilds(cacheDir: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    const pid = /^build-(\d+)-/.exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    await rm(join(cacheDir, name), { recursive: true, force: true });
  }
}

interface GoBuildOptions {
  moduleDir: string;
  env: Readonly<Record<string, string | undefined>>;
  folder: string;
  output: string;
  /** What the API server says at /version. */
  version: string;
}

async function goBuild(options: GoBuildOptions): Promise<void> {
  const { moduleDir, env, folder, output, version } = options;
  // Kubernetes' own build sets the version in the same way; kubectl cannot parse the default.
  const ldflags = `-s -w -X k8s.io/component-base/version.gitVersion=${version}`;
  const args = ['build', '-trimpath', '-buildvcs=false', '-ldflags', ldflags, '-o', output];
  const go = spawn('go', [...args, `./${folder}`], {
    cwd: moduleDir,
    // A go.work of a folder above is not ours.
    env: { ...env, GOWORK: 'off' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = new Promise<number | null>((resolve, reject) => {
    go.once('error', (error: NodeJS.ErrnoException) => reject(startProblem(error)));
    go.once('close', resolve);
  });
  const [code, errors] = await Promise.all([exited, text(go.stderr)]);
  if (code !== 0) {
    const lastLines = errors.trimEnd().split('\n').slice(-20).join('\n');
    throw new BuildError(`"go build ./${folder}" ended with code ${code}:\n${lastLines}`);
  }
}

function startProblem(error: NodeJS.ErrnoException): BuildError {
  return new BuildError(error.code === 'ENOENT' ? 'there is no Go on the PATH.' : error.message);
}

async function kubernetesVersion(moduleDir: string): Promise<string> {
  const goMod = await readFile(join(moduleDir, 'go.mod'), 'utf8');
  const version = /^\s*k8s\.io\/kubernetes (v\S+)$/m.exec(goMod)?.[1];
  if (!version) throw new BuildError(`${moduleDir}/go.mod requires no k8s.io/kubernetes`);
  return version;
}
