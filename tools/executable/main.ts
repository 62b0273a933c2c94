/**
 * Builds `kubectl-eni` as one file for the platform that this runs on, and packs it as krew wants it:
 * `dist/executable/kubectl-eni-OS-ARCH.tar.gz`.
 */
import { execFile } from 'node:child_process';
import { copyFile, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { archiveName } from '../krew/manifest.js';
import { buildSingleExecutable } from './single-executable.js';

const compiled = relative('.', fileURLToPath(new URL('../..', import.meta.url)));
const folder = join('dist', 'executable', `${process.platform}-${process.arch}`);
const outfile = join(folder, 'kubectl-eni');

await rm(folder, { recursive: true, force: true });
await buildSingleExecutable({
  entry: join(compiled, 'src/cli/main.js'),
  outfile,
  node: process.execPath,
});
await copyFile('LICENSE', join(folder, 'LICENSE'));
// Those of the npm package, which has the same code in it.
await copyFile(
  join('dist', 'npm', 'THIRD_PARTY_NOTICES.txt'),
  join(folder, 'THIRD_PARTY_NOTICES.txt'),
);
const archive = join('dist', 'executable', archiveName(process));
const files = ['kubectl-eni', 'LICENSE', 'THIRD_PARTY_NOTICES.txt'];
await promisify(execFile)('tar', ['-czf', archive, '-C', folder, ...files]);
console.log(archive);
