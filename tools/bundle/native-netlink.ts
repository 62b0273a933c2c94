import { copyFile, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Plugin } from 'esbuild';

/** The platforms of the image. */
const ARCHITECTURES = ['x64', 'arm64'] as const;
const LOOKED_UP = "require('node-gyp-build')(__dirname + '/..')";

/**
 * The rtnetlink binding is native code: it goes beside the bundle, for each architecture, and is loaded from
 * there instead of being looked for in a package that the bundle does not have.
 */
export const nativeNetlink: Plugin = {
  name: 'native-netlink',
  setup({ initialOptions, onLoad, onEnd }) {
    const packages = resolve('node_modules/netlink/prebuilds');
    onLoad({ filter: /netlink[\\/]dist[\\/]raw\.js$/ }, async ({ path }) => {
      const module = await readFile(path, 'utf8');
      if (!module.includes(LOOKED_UP)) {
        throw new Error(`${path} loads its binding in another way than this plugin knows`);
      }
      // Not as a literal: esbuild would look for the file now.
      const beside = "require(['./netlink-', process.arch, '.node'].join(''))";
      return { contents: module.replace(LOOKED_UP, beside) };
    });
    onEnd(async () => {
      // Beside the chunk that loads it.
      const target = join(initialOptions.outdir ?? '.', dirname(initialOptions.chunkNames ?? ''));
      for (const arch of ARCHITECTURES) {
        await copyFile(
          join(packages, `linux-${arch}`, 'node.napi.node'),
          join(target, `netlink-${arch}.node`),
        );
      }
    });
  },
};
