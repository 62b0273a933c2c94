import { execFile } from 'node:child_process';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const COMMENT = /\/\*[\s\S]*?\*\//g;
/** What an `import` or `export … from` names, and `import('…')` in a type. */
const SPECIFIER = /(?:from|import\()\s*'([^']+)'/g;

/**
 * Writes the declarations of the library to `folder`, and deletes those that none of its types needs. They count as
 * CommonJS, which both kinds of programs may import.
 * @throws Error if a declaration needs a package: the published one has no dependencies
 */
export async function emitDeclarations(folder: string): Promise<void> {
  await run(process.execPath, [
    'node_modules/typescript/bin/tsc',
    '-p',
    'tools/npm-package/tsconfig.json',
    '--outDir',
    folder,
  ]);
  const needed = await reachable(resolve(folder, 'index.d.ts'));
  for (const name of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = resolve(join(name.parentPath, name.name));
    if (name.isFile() && !needed.has(path)) await rm(path);
  }
  await removeEmpty(folder);
  await writeFile(join(folder, 'package.json'), '{ "type": "commonjs" }\n');
}

/** The files that the declaration file imports, directly and through others, with itself. */
async function reachable(entry: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const waiting = [entry];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (found.has(path)) continue;
    const text = await readFile(path, 'utf8');
    found.set(path, text);
    for (const [, specifier = ''] of text.replaceAll(COMMENT, '').matchAll(SPECIFIER)) {
      if (!specifier.startsWith('.')) {
        throw new Error(
          `${relative('.', path)} needs ${specifier}, which the npm package does not have`,
        );
      }
      waiting.push(resolve(dirname(path), specifier.replace(/\.js$/, '.d.ts')));
    }
  }
  return found;
}

async function removeEmpty(folder: string): Promise<boolean> {
  let isEmpty = true;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const gone = entry.isDirectory() && (await removeEmpty(join(folder, entry.name)));
    isEmpty &&= gone;
  }
  if (isEmpty) await rm(folder, { recursive: true });
  return isEmpty;
}
