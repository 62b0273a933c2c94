import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

const GLOBAL = 'globalThis.awslambda = globalThis.awslambda || {};';

/**
 * Keeps the AWS SDK from making a global variable when it is imported. On Lambda, where it means something, Lambda
 * itself has made it.
 */
export const noGlobals: Plugin = {
  name: 'no-globals',
  setup({ onLoad }) {
    onLoad(
      { filter: /lambda-invoke-store[\\/]dist-es[\\/]invoke-store\.js$/ },
      async ({ path }) => {
        const module = await readFile(path, 'utf8');
        if (!module.includes(GLOBAL)) throw new Error(`${path} has changed: see ${GLOBAL}`);
        return { contents: module.replace(GLOBAL, ''), loader: 'js' };
      },
    );
  },
};
