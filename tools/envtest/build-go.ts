import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { isAlive, withBuildLock } from './build-lock.js';
import { type BuildProgress, lineProgress, terminalProgress } from './build-progress.js';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface BuildGoOptions {
  /** A Go module that requires k8s.io/kubernetes; one folder a binary. */
  moduleDir: string;
  /** Its folders to build. */
  binaries: readonly string[];
  /** Where the binaries end up; created if missing. */
  cacheDir: string;
  /** The environment of `go build`. */
  env: Environment;
  /** Says at the start what is built, and how long it takes. */
  introduction: string;
  /** Receives a line at the start, every 15 s and at the end. Unset: standard error. */
  logger?: ((line: string) => void) | undefined;
}

/** `go build` failed, or there is no Go. */
export class GoBuildError extends Error {
  override readonly name = 'GoBuildError';
}

/**
 * Builds binaries of a Go module into `cacheDir`. Processes that build at the same time wait for
 * the first; each binary appears whole, by a rename.
 * @throws GoBuildError
 */
export async function buildGo(options: BuildGoOptions): Promise<void> {
  const { cacheDir, binaries, introduction, logger } = options;
  await mkdir(cacheDir, { recursive: true });
  const progress = logger
    ? lineProgress(logger, introduction)
    : terminalProgress(process.stderr, introduction);
  try {
    await withBuildLock({ dir: cacheDir, files: binaries, onWait: progress.waiting }, () =>
      buildInto(options, progress),
    );
  } finally {
    progress.end();
  }
}

/** The project's folder in the user's cache. */
export function cacheRoot(env: Environment): string {
  const base = env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache');
  return join(base, 'eni-operator');
}

/** go.sum decides what is built, so another go.sum means other binaries. */
export async function moduleKey(moduleDir: string): Promise<string> {
  const goSum = await readFile(join(moduleDir, 'go.sum'));
  return createHash('sha256').update(goSum).digest('hex').slice(0, 16);
}

async function buildInto(options: BuildGoOptions, progress: BuildProgress): Promise<void> {
  const { moduleDir, binaries, cacheDir, env } = options;
  progress.begin();
  await removeAbandonedBuilds(cacheDir);
  const scratch = await mkdtemp(join(cacheDir, `build-${process.pid}-`));
  try {
    const version = await kubernetesVersion(moduleDir);
    for (const name of binaries) {
      progress.step(name);
      await goBuild({ moduleDir, env, folder: name, output: join(scratch, name), version });
    }
    for (const name of binaries) await rename(join(scratch, name), join(cacheDir, name));
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

interface GoBuildCommand {
  moduleDir: string;
  env: Environment;
  folder: string;
  output: string;
  /** What the API server says at /version, and kubelet as its node's version. */
  version: string;
}

async function goBuild(options: GoBuildCommand): Promise<void> {
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
    throw new GoBuildError(`"go build ./${folder}" ended with code ${code}:\n${lastLines}`);
  }
}

function startProblem(error: NodeJS.ErrnoException): GoBuildError {
  return new GoBuildError(error.code === 'ENOENT' ? 'there is no Go on the PATH.' : error.message);
}

async function kubernetesVersion(moduleDir: string): Promise<string> {
  const goMod = await readFile(join(moduleDir, 'go.mod'), 'utf8');
  const version = /^\s*k8s\.io\/kubernetes (v\S+)$/m.exec(goMod)?.[1];
  if (!version) throw new GoBuildError(`${moduleDir}/go.mod requires no k8s.io/kubernetes`);
  return version;
}
