import { access, constants, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { withBuildLock } from '../envtest/build-lock.js';

/** Where a program is in the user's cache. */
export interface Place {
  name: string;
  dir: string;
  file: string;
}

export interface Build {
  /** Where the build has to put the program. */
  output: string;
  /** Folder for what the build needs. */
  scratch: string;
  signal: AbortSignal | undefined;
}

export interface GoProgramOptions {
  /** Ends the build. The promise rejects once Go has ended. */
  signal?: AbortSignal | undefined;
  /** Called once before a build, with the program's name. */
  onBuild?: ((name: string) => void) | undefined;
}

/** @param version tells builds of a program apart */
export function placeOf(name: string, version: string): Place {
  const dir = join(cacheRoot(), name, version);
  return { name, dir, file: join(dir, name) };
}

/** The program's path, if it is built already. */
export async function cachedAt({ file }: Place): Promise<string | undefined> {
  return (await isExecutable(file)) ? file : undefined;
}

/** The program's path, after a build if it is not there. Processes that ask at the same time wait for the first. */
export async function cached(
  place: Place,
  build: (build: Build) => Promise<void>,
  { signal, onBuild }: GoProgramOptions = {},
): Promise<string> {
  const { name, dir, file } = place;
  if (await isExecutable(file)) return file;
  onBuild?.(name);
  await mkdir(dir, { recursive: true });
  await withBuildLock({ dir, files: [name], signal }, async () => {
    const scratch = await mkdtemp(join(dir, `build-${process.pid}-`));
    try {
      const output = join(scratch, name);
      await build({ output, scratch, signal });
      await rename(output, file);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  });
  return file;
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
