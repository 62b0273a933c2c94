/** Prints the notes of a release, from CHANGELOG.md: `node main.js 1.2.3`. */
import { readFile } from 'node:fs/promises';
import { releaseNotes } from './notes.js';

try {
  console.log(releaseNotes(await readFile('CHANGELOG.md', 'utf8'), process.argv[2] ?? ''));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
