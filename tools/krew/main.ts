/** Prints the krew manifest of a release for the archives in a folder: `node main.js VERSION REPOSITORY_URL FOLDER`. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { krewManifest, platformOf } from './manifest.js';

const [version = '', repositoryUrl = '', folder = ''] = process.argv.slice(2);
const names = (await readdir(folder)).filter((name) => name.endsWith('.tar.gz')).sort();
const archives = await Promise.all(
  names.map(async (name) => {
    const content = await readFile(join(folder, name));
    return { ...platformOf(name), sha256: createHash('sha256').update(content).digest('hex') };
  }),
);
console.log(krewManifest({ version, repositoryUrl, archives }).trimEnd());
