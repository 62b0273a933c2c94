import { execFile } from 'node:child_process';
import { access, constants, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { withBuildLock } from '../envtest/build-lock.js';

/** A program that its authors publish as a Go module. */
export interface GoProgram {
  /** Import path of its main package; the last element is the program's name. */
  path: string;
  /** Module version, such as v1.7.7. */
  version: string;
}

/** The program cannot be built here; the message has what Go says. */
export class GoProgramError extends Error {
  override readonly name = 'GoProgramError';
}

/**
 * Builds the program into the user's cache, once for each version, and returns its path. Processes that ask
 * at the same time wait for the first.
 * @throws GoProgramError where there is no Go, or the module cannot be fetched or built
 */
export async function goProgram({ path, version }: GoProgram): Promise<string> {
  const name = basename(path.replace(/\/v\d+$/, ''));
  const dir = join(cacheRoot(), name, version);
  const program = join(dir, name);
  if (await isExecutable(program)) return program;
  await mkdir(dir, { recursive: true });
  await withBuildLock({ dir, files: [name] }, async () => {
    const scratch = await mkdtemp(join(dir, `build-${process.pid}-`));
    try {
      await install(`${path}@${version}`, scratch);
      await rename(join(scratch, name), program);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  });
  return program;
}

async function install(target: string, binDir: string): Promise<void> {
  // A go.work of a folder above is not ours.
  const env = { ...process.env, GOBIN: binDir, GOWORK: 'off', GOFLAGS: '-trimpath' };
  try {
    await promisify(execFile)('go', ['install', target], { env });
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? error.stderr : error;
    throw new GoProgramError(`"go install ${target}" failed: ${said}`);
  }
}

function cacheRoot(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'eni-operator');
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
