/**
 * Bundles the compiled program into what is shipped: `dist/bundle/eni-operator.mjs`, the chunks that each
 * component loads for itself, and the agent's native code. For which architectures is named by ARCHITECTURES
 * (`x64,arm64`), or else by what is installed. Beside it go the third-party notices and an SBOM of what it contains.
 */
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { describePackages, packageFolders } from './bundled-packages.js';
import { lazyBuiltins } from './lazy-builtins.js';
import { nativeKoffi } from './native-koffi.js';
import { nodeStreams } from './node-streams.js';
import { thirdPartyNotices } from './notices.js';
import { pureSchemas } from './pure-schemas.js';
import { cycloneDx, type SbomSubject } from './sbom.js';

/** Where tsc wrote what is bundled; the bundle goes there too. */
const compiled = relative('.', fileURLToPath(new URL('../..', import.meta.url)));
const outdir = join(compiled, 'bundle');

/** What @dot-i/k8s-operator imports and our base class does not use. */
const STAND_INS: Readonly<Record<string, string>> = {
  '@kubernetes/client-node': 'client-node-for-operator.js',
  gaxios: 'gaxios-for-operator.js',
};

const slimOperator: Plugin = {
  name: 'slim-operator',
  setup({ onResolve }) {
    onResolve({ filter: /^(@kubernetes\/client-node|gaxios)$/ }, ({ path, importer }) => {
      const standIn = STAND_INS[path];
      return standIn !== undefined && importer.includes('@dot-i')
        ? { path: resolve(compiled, 'tools/bundle', standIn) }
        : undefined;
    });
  },
};

/** The native code's packages: no input of the bundler. */
const nativePackages = ['node_modules/koffi'];
const native = nativeKoffi({
  architectures: process.env.ARCHITECTURES?.split(','),
  onArchitectures: (all) => {
    nativePackages.push(...all.map((arch) => `node_modules/@koromix/koffi-linux-${arch}`));
    console.log(`The agent's native code is for ${all.join(', ') || 'none'}`);
  },
});

await rm(outdir, { recursive: true, force: true });
const { metafile } = await build({
  metafile: true,
  entryPoints: { 'eni-operator': join(compiled, 'src/main.js') },
  outdir,
  outExtension: { '.js': '.mjs' },
  chunkNames: 'lib/[name]-[hash]',
  // The agent must not load what the controller needs: the AWS SDK takes 30 MiB.
  splitting: true,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  // ES modules first: of CommonJS ones, nothing can be left out.
  mainFields: ['module', 'main'],
  minify: true,
  // Error classes and reconcilers are known by their names, in logs and in what users read.
  keepNames: true,
  sourcemap: 'linked',
  logLevel: 'warning',
  plugins: [slimOperator, nodeStreams, pureSchemas, lazyBuiltins, native],
  banner: {
    // CommonJS packages in the bundle ask for Node's own modules through require().
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
});

const packages = await describePackages(
  [...new Set([...packageFolders(metafile), ...nativePackages])].sort(),
);
const subject = JSON.parse(await readFile('package.json', 'utf8')) as SbomSubject;
await writeFile(join(outdir, 'THIRD_PARTY_NOTICES.txt'), thirdPartyNotices(packages));
await writeFile(
  join(outdir, 'sbom.cdx.json'),
  `${JSON.stringify(cycloneDx(subject, packages), null, 2)}\n`,
);

const shipped = (await readdir(outdir, { recursive: true })).filter((name) =>
  /\.(mjs|node)$/.test(name),
);
const sizes = await Promise.all(shipped.map(async (name) => (await stat(join(outdir, name))).size));
const total = sizes.reduce((sum, size) => sum + size, 0);
console.log(`${outdir}  ${shipped.length} files, ${(total / 1024 / 1024).toFixed(1)} MiB`);
