import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { build } from 'esbuild';
import { lazyBuiltins } from '../../../tools/bundle/lazy-builtins.js';

const run = promisify(execFile);

const PROGRAM = `
  import https from 'node:https';
  import http, { createServer } from 'node:http';
  import { promises, readFileSync } from 'fs';
  import * as util from 'node:util';
  import process from 'node:process';
  const works = [
    createServer === http.createServer,
    https.Agent.prototype instanceof http.Agent,
    readFileSync(process.execPath).length > 0,
    typeof promises.readFile,
    util.format('%s', 'formatted'),
  ];
  const loaded = process.moduleLoadList.filter((name) => /undici|websocket/.test(name));
  process.stdout.write(JSON.stringify({ works, loaded }));
`;

describe('A bundle’s imports of Node’s own modules', () => {
  it('work, and load nothing that is not used', async () => {
    const { outputFiles } = await build({
      stdin: { contents: PROGRAM },
      bundle: true,
      platform: 'node',
      format: 'esm',
      plugins: [lazyBuiltins],
      write: false,
    });
    const program = outputFiles[0]?.text ?? '';
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program]);
    expect(JSON.parse(stdout)).to.deep.equal({
      works: [true, true, true, 'function', 'formatted'],
      loaded: [],
    });
  });
});
