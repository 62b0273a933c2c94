import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { type GoProgram, GoProgramError, goProgram } from '../../tools/go-program/go-program.js';

const run = promisify(execFile);

const ACTIONLINT: GoProgram = {
  path: 'github.com/rhysd/actionlint/cmd/actionlint',
  version: 'v1.7.12',
};
/** Go fetches and builds it once, into the user's cache. */
const BUILD_MS = 300_000;

describe('the GitHub workflows', function () {
  this.timeout(BUILD_MS);

  it('are what actionlint accepts', async function () {
    const actionlint = await goProgram(ACTIONLINT).catch((error: unknown) => {
      if (error instanceof GoProgramError && !process.env.CI) this.skip();
      throw error;
    });
    const { stdout } = await run(actionlint, ['-color=false', '-shellcheck=', '-pyflakes=']).catch(
      (error: { stdout: string }) => error,
    );
    expect(stdout).to.equal('');
  });
});
