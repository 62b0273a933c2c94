/** Bundles the compiled program into the one file that is shipped: `dist/bundle/eni-operator.mjs`. */
import { stat } from 'node:fs/promises';
import { build } from 'esbuild';

const outfile = 'dist/bundle/eni-operator.mjs';

await build({
  entryPoints: ['dist/src/main.js'],
  outfile,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  minify: true,
  // Error classes and reconcilers are known by their names, in logs and in what users read.
  keepNames: true,
  sourcemap: 'linked',
  logLevel: 'warning',
  banner: {
    // CommonJS packages in the bundle ask for Node's own modules through require().
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
});

const { size } = await stat(outfile);
console.log(`${outfile}  ${(size / 1024 / 1024).toFixed(1)} MiB`);
