/**
 * Builds what is published to npm, `dist/npm`: the library for ES modules and CommonJS with its types, and the
 * commands. It contains the code of its dependencies, so that an installation is one package; notices and an SBOM say
 * what that is.
 */
import { chmod, copyFile, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Metafile } from 'esbuild';
import { describePackages, packageFolders } from '../bundle/bundled-packages.js';
import { thirdPartyNotices } from '../bundle/notices.js';
import { pureSchemas } from '../bundle/pure-schemas.js';
import { cycloneDx } from '../bundle/sbom.js';
import { emitDeclarations } from './declarations.js';
import { type ProjectManifest, publishedManifest } from './manifest.js';
import { noGlobals } from './no-globals.js';

/** Where tsc wrote what is bundled. */
const compiled = relative('.', fileURLToPath(new URL('../..', import.meta.url)));
const outdir = join('dist', 'npm');

const SHARED: BuildOptions & { metafile: true } = {
  metafile: true,
  bundle: true,
  platform: 'node',
  target: 'node22',
  // ES modules first: of CommonJS ones, nothing can be left out.
  mainFields: ['module', 'main'],
  minify: true,
  // Error classes are known by their names.
  keepNames: true,
  legalComments: 'none',
  logLevel: 'warning',
};

/** CommonJS packages in an ES module ask for Node's own modules through require(). */
const REQUIRE =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/** Programs of the package, by the name of their file. */
const COMMANDS: Readonly<Record<string, string>> = {
  'kubectl-eni.mjs': 'src/cli/main.js',
  'ec2-eni-simulator.mjs': 'tools/ec2-simulator/main.js',
};

/** The library once, as CommonJS; ES modules get the same objects, so that `instanceof` holds across both. */
async function buildLibrary(): Promise<Metafile> {
  const { metafile } = await build({
    ...SHARED,
    entryPoints: [join(compiled, 'src/index.js')],
    outfile: join(outdir, 'index.cjs'),
    format: 'cjs',
    plugins: [pureSchemas, noGlobals],
  });
  const library: object = await import('../../src/index.js');
  const names = Object.keys(library).sort();
  await writeFile(
    join(outdir, 'index.mjs'),
    `export { ${names.join(', ')} } from './index.cjs';\n`,
  );
  await emitDeclarations(join(outdir, 'types'));
  for (const extension of ['mts', 'cts']) {
    await writeFile(join(outdir, `index.d.${extension}`), "export * from './types/index.js';\n");
  }
  return metafile;
}

async function buildCommand(name: string, entry: string): Promise<Metafile> {
  const outfile = join(outdir, name);
  const { metafile } = await build({
    ...SHARED,
    entryPoints: [join(compiled, entry)],
    outfile,
    format: 'esm',
    plugins: [pureSchemas],
    banner: { js: `#!/usr/bin/env node\n${REQUIRE}` },
  });
  await chmod(outfile, 0o755);
  return metafile;
}

/** What `npx eni-operator …` runs: `simulator`, or a command of the plugin. */
const NPX = `#!/usr/bin/env node
const isSimulator = process.argv[2] === 'simulator';
if (isSimulator) process.argv.splice(2, 1);
await import(isSimulator ? './ec2-eni-simulator.mjs' : './kubectl-eni.mjs');
`;

/** What kubectl asks for the completion of a plugin. */
async function buildCompletion(): Promise<void> {
  const path = join(outdir, 'kubectl_complete-eni');
  await writeFile(path, '#!/bin/sh\nexec kubectl-eni __complete "$@"\n', { mode: 0o755 });
}

await rm(outdir, { recursive: true, force: true });
const metafiles = [
  await buildLibrary(),
  ...(await Promise.all(Object.entries(COMMANDS).map((command) => buildCommand(...command)))),
];
const project = JSON.parse(await readFile('package.json', 'utf8')) as ProjectManifest;
const packages = await describePackages([...new Set(metafiles.flatMap(packageFolders))].sort());
const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;
await buildCompletion();
await writeFile(join(outdir, 'eni-operator.mjs'), NPX, { mode: 0o755 });
await writeFile(join(outdir, 'package.json'), json(publishedManifest(project)));
await writeFile(join(outdir, 'THIRD_PARTY_NOTICES.txt'), thirdPartyNotices(packages));
await writeFile(join(outdir, 'sbom.cdx.json'), json(cycloneDx(project, packages)));
await copyFile('LICENSE', join(outdir, 'LICENSE'));
await copyFile('docs/library.md', join(outdir, 'README.md'));

for (const name of (await readdir(outdir)).filter((file) => /\.[cm]js$/.test(file)).sort()) {
  const { size } = await stat(join(outdir, name));
  console.log(`${join(outdir, name)}  ${(size / 1024).toFixed(0)} KiB`);
}
