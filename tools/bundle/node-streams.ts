import type { Plugin } from 'esbuild';

/** Modules of readable-stream, and what Node has in their place. */
const OWN: Readonly<Record<string, string>> = {
  'readable-stream': "require('node:stream')",
  'readable-stream/lib/_stream_writable.js': "require('node:stream').Writable",
  'readable-stream/lib/_stream_duplex.js': "require('node:stream').Duplex",
};

/** Node's own streams for the logger, which brings a copy of them: 40 KiB of code on every node. */
export const nodeStreams: Plugin = {
  name: 'node-streams',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^readable-stream(\/|$)/ }, ({ path }) => {
      if (path in OWN) return { path, namespace: 'node-streams' };
      throw new Error(`No module of Node is known to stand for ${path}`);
    });
    onLoad({ filter: /./, namespace: 'node-streams' }, ({ path }) => ({
      contents: `module.exports = ${OWN[path]};`,
    }));
  },
};
