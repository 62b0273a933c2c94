import { execFile } from 'node:child_process';
import { access, constants, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
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
  /**
   * The module's path. Set it if the module's proxy does not list the module's versions: `go install` reads
   * that list to warn of deprecated versions, and fails without it.
   */
  module?: string;
}

/** Language version of the module that requires the program's: from this one on, Go loads only what it needs. */
const GO = 'go 1.24';

/** The program cannot be built here; the message has what Go says. */
export class GoProgramError extends Error {
  override readonly name = 'GoProgramError';
}

/**
 * Builds the program into the user's cache, once for each version, and returns its path. Processes that ask
 * at the same time wait for the first.
 * @throws GoProgramError where there is no Go, or the module cannot be fetched or built
 */
export async function goProgram(options: GoProgram): Promise<string> {
  const { name, dir, program } = placeOf(options);
  if (await isExecutable(program)) return program;
  await mkdir(dir, { recursive: true });
  await withBuildLock({ dir, files: [name] }, async () => {
    const scratch = await mkdtemp(join(dir, `build-${process.pid}-`));
    try {
      await build(options, join(scratch, name), scratch);
      await rename(join(scratch, name), program);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  });
  return program;
}

function placeOf({ path, version }: GoProgram): { name: string; dir: string; program: string } {
  const name = basename(path.replace(/\/v\d+$/, ''));
  const dir = join(cacheRoot(), name, version);
  return { name, dir, program: join(dir, name) };
}

async function build(
  { path, version, module }: GoProgram,
  output: string,
  scratch: string,
): Promise<void> {
  if (module === undefined) {
    await runGo(['install', `${path}@${version}`], { cwd: scratch, env: { GOBIN: scratch } });
    return;
  }
  await writeFile(
    join(scratch, 'go.mod'),
    `module build\n\n${GO}\n\nrequire ${module} ${version}\n`,
  );
  await runGo(['build', '-mod=mod', '-o', output, path], { cwd: scratch });
}

async function runGo(
  args: readonly string[],
  { cwd, env = {} }: { cwd: string; env?: Record<string, string> },
): Promise<void> {
  // A go.work of a folder above is not ours.
  const settings = { ...process.env, GOWORK: 'off', GOFLAGS: '-trimpath', ...env };
  try {
    await promisify(execFile)('go', args, { cwd, env: settings });
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? error.stderr : error;
    throw new GoProgramError(`"go ${args.join(' ')}" failed: ${said}`);
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
