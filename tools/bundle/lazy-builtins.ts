import type { Plugin } from 'esbuild';

/** Node's modules of which some exports are loaded when they are first read. */
const LAZY = /^(?:node:)?(?:fs|http|process|util)$/;

/**
 * Keeps what Node loads lazily unloaded. Imported as an ES module, a module of Node's reads each of its
 * exports at once; `node:http` has a WebSocket among them, behind which stand undici and 14 MiB of memory.
 */
export const lazyBuiltins: Plugin = {
  name: 'lazy-builtins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: LAZY }, ({ path, kind }) =>
      kind === 'require-call' ? undefined : { path, namespace: 'builtin' },
    );
    // CommonJS, so that esbuild reads each export where it is used.
    onLoad({ filter: LAZY, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('${path}');`,
    }));
  },
};
