import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, placeOf } from './program-cache.js';
import { runGo } from './run-go.js';

/** A program of this repository. */
export interface LocalGoProgram {
  name: string;
  /** A Go module whose root is the main package. */
  folder: string;
}

/**
 * Builds the program into the user's cache, once for each content of the folder, and returns its path.
 * @throws GoProgramError as goProgram() does
 */
export async function localGoProgram({ name, folder }: LocalGoProgram): Promise<string> {
  const place = placeOf(name, await contentKey(folder));
  return cached(place, ({ output, signal }) => {
    const args = ['build', '-buildvcs=false', '-ldflags', '-s -w', '-o', output, '.'];
    return runGo(args, { cwd: folder, signal });
  });
}

async function contentKey(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const name of (await readdir(folder)).sort()) {
    hash.update(`${name}\0`).update(await readFile(join(folder, name)));
  }
  return hash.digest('hex').slice(0, 16);
}
