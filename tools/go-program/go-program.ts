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

export interface GoProgramOptions {
  /** Ends the build. The promise rejects once Go has ended. */
  signal?: AbortSignal | undefined;
  /** Called once before a build, with the program's name. */
  onBuild?: ((name: string) => void) | undefined;
}

/** The program cannot be built here; the message has what Go says. */
export class GoProgramError extends Error {
  override readonly name = 'GoProgramError';

  constructor(
    command: string,
    /** The last line of what Go says. */
    readonly problem: string,
    output = problem,
  ) {
    super(`"${command}" failed: ${output}`);
  }
}

/**
 * Builds the program into the user's cache, once for each version, and returns its path. Processes that ask
 * at the same time wait for the first.
 * @throws GoProgramError where there is no Go, or the module cannot be fetched or built
 */
export async function goProgram(
  program: GoProgram,
  { signal, onBuild }: GoProgramOptions = {},
): Promise<string> {
  const built = await builtGoProgram(program);
  if (built !== undefined) return built;
  const { name, dir, file } = placeOf(program);
  onBuild?.(name);
  await mkdir(dir, { recursive: true });
  await withBuildLock({ dir, files: [name], signal }, async () => {
    const scratch = await mkdtemp(join(dir, `build-${process.pid}-`));
    try {
      await build(program, { output: join(scratch, name), scratch, signal });
      await rename(join(scratch, name), file);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  });
  return file;
}

/** The program's path, if it is built already. */
export async function builtGoProgram(program: GoProgram): Promise<string | undefined> {
  const { file } = placeOf(program);
  return (await isExecutable(file)) ? file : undefined;
}

function placeOf({ path, version }: GoProgram): { name: string; dir: string; file: string } {
  const name = basename(path.replace(/\/v\d+$/, ''));
  const dir = join(cacheRoot(), name, version);
  return { name, dir, file: join(dir, name) };
}

interface Build {
  output: string;
  /** Folder for what the build needs. */
  scratch: string;
  signal: AbortSignal | undefined;
}

async function build(
  { path, version, module }: GoProgram,
  { output, scratch, signal }: Build,
): Promise<void> {
  if (module === undefined) {
    const env = { GOBIN: scratch };
    await runGo(['install', `${path}@${version}`], { cwd: scratch, env, signal });
    return;
  }
  await writeFile(
    join(scratch, 'go.mod'),
    `module build\n\n${GO}\n\nrequire ${module} ${version}\n`,
  );
  await runGo(['build', '-mod=mod', '-o', output, path], { cwd: scratch, signal });
}

interface GoRun {
  cwd: string;
  env?: Record<string, string>;
  signal: AbortSignal | undefined;
}

async function runGo(args: readonly string[], { cwd, env = {}, signal }: GoRun): Promise<void> {
  signal?.throwIfAborted();
  // A go.work of a folder above is not ours.
  const settings = { ...process.env, GOWORK: 'off', GOFLAGS: '-trimpath', ...env };
  const running = promisify(execFile)('go', args, { cwd, env: settings });
  // Go then removes its temporary files.
  const interrupt = (): void => void running.child.kill('SIGINT');
  signal?.addEventListener('abort', interrupt, { once: true });
  try {
    await running;
  } catch (error) {
    signal?.throwIfAborted();
    throw goProgramError(`go ${args.join(' ')}`, error);
  } finally {
    signal?.removeEventListener('abort', interrupt);
  }
}

function goProgramError(command: string, error: unknown): GoProgramError {
  const { code, stderr } = error as { code?: unknown; stderr?: string };
  if (code === 'ENOENT') return new GoProgramError(command, 'there is no Go on the PATH');
  const output = (stderr || String(error)).trim();
  return new GoProgramError(command, output.split('\n').at(-1) ?? '', output);
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
