/** Bundles the compiled program into the one file that is shipped: `dist/bundle/eni-operator.mjs`. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { pureSchemas } from './pure-schemas.js';

const outfile = 'dist/bundle/eni-operator.mjs';

const slimClientNode: Plugin = {
  name: 'slim-client-node',
  setup({ onResolve }) {
    onResolve({ filter: /^@kubernetes\/client-node$/ }, ({ importer }) =>
      importer.includes('@dot-i')
        ? { path: resolve('dist/tools/bundle/client-node-for-operator.js') }
        : undefined,
    );
  },
};

await build({
  entryPoints: ['dist/src/main.js'],
  outfile,
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
  plugins: [slimClientNode, pureSchemas],
  banner: {
    // CommonJS packages in the bundle ask for Node's own modules through require().
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
});

const { size } = await stat(outfile);
console.log(`${outfile}  ${(size / 1024 / 1024).toFixed(1)} MiB`);
