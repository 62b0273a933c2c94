import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { buildSingleExecutable } from '../../../tools/executable/single-executable.js';

const run = promisify(execFile);
const ENTRY = fileURLToPath(new URL('../../../src/cli/main.js', import.meta.url));

describe('kubectl-eni as one file', function () {
  this.timeout(120_000);
  let folder: string;

  before(async function () {
    if (process.platform !== 'linux') this.skip();
    folder = await mkdtemp(join(tmpdir(), 'kubectl-eni-executable-'));
  });
  after(() => folder && rm(folder, { recursive: true }));

  it('runs where there is no Node', async () => {
    const outfile = join(folder, 'kubectl-eni');
    await buildSingleExecutable({ entry: ENTRY, outfile, node: process.execPath });
    const env = { PATH: folder, HOME: folder };
    const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
    expect((await run(outfile, ['--version'], { env })).stdout).to.equal(`${version}\n`);
    const { code, stderr } = await run(outfile, ['status'], { env }).then(
      () => expect.fail('it found a cluster'),
      (error: { code: number; stderr: string }) => error,
    );
    expect(code).to.equal(2);
    expect(stderr).to.match(/^error: The kubeconfig cannot be read: ENOENT/);
  });
});
