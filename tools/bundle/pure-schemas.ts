import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

/** One `export var Name$ = [ … ];`, on a line or ending at one of its own. */
const SCHEMA = /^((?:export )?var \w+\$? = )(\[.*\]|\[[\s\S]*?^\]);$/gm;

/**
 * Lets the bundle leave out the schemas of EC2's 700 actions that are never called. Each is a literal of
 * arrays, but some have computed keys, for which esbuild keeps them all: 1 MiB of code, 30 MiB of memory.
 */
export const pureSchemas: Plugin = {
  name: 'pure-schemas',
  setup({ onLoad }) {
    onLoad({ filter: /client-ec2[\\/]dist-es[\\/]schemas[\\/].*\.js$/ }, async ({ path }) => ({
      contents: markPure(await readFile(path, 'utf8')),
      loader: 'js',
    }));
  },
};

/** The module's text with each schema marked as an expression without effects. */
export function markPure(module: string): string {
  return module.replace(SCHEMA, '$1/* @__PURE__ */ (() => $2)();');
}
