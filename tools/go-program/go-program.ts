import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  type Build,
  cached,
  cachedAt,
  type GoProgramOptions,
  type Place,
  placeOf,
} from './program-cache.js';
import { runGo } from './run-go.js';

export type { GoProgramOptions } from './program-cache.js';
export { GoProgramError } from './run-go.js';

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

/**
 * Builds the program into the user's cache, once for each version, and returns its path. Processes that ask
 * at the same time wait for the first.
 * @throws GoProgramError where there is no Go, or the module cannot be fetched or built
 */
export async function goProgram(
  program: GoProgram,
  options: GoProgramOptions = {},
): Promise<string> {
  return cached(placeIn(program), (where) => build(program, where), options);
}

/** The program's path, if it is built already. */
export async function builtGoProgram(program: GoProgram): Promise<string | undefined> {
  return cachedAt(placeIn(program));
}

function placeIn({ path, version }: GoProgram): Place {
  return placeOf(basename(path.replace(/\/v\d+$/, '')), version);
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
