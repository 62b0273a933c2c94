import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { type GoProgram, GoProgramError, goProgram } from '../../../tools/go-program/go-program.js';
import { archiveName, krewManifest, platformOf } from '../../../tools/krew/manifest.js';

const run = promisify(execFile);
const VALIDATE: GoProgram = {
  path: 'sigs.k8s.io/krew/cmd/validate-krew-manifest',
  version: 'v0.4.3',
};
/** Go fetches and builds it once, into the user's cache. */
const BUILD_MS = 300_000;

describe('the krew manifest', function () {
  this.timeout(BUILD_MS);
  const archives = [
    { platform: 'linux', arch: 'x64' },
    { platform: 'darwin', arch: 'arm64' },
  ].map((platform) => ({ ...platformOf(archiveName(platform)), sha256: 'a'.repeat(64) }));
  const manifest = krewManifest({
    version: '1.2.3',
    repositoryUrl: 'https://github.com/owner/repository',
    archives,
  });

  it('is what krew accepts', async function () {
    const validate = await goProgram(VALIDATE).catch((error: unknown) => {
      if (error instanceof GoProgramError && !process.env.CI) this.skip();
      throw error;
    });
    const folder = await mkdtemp(join(tmpdir(), 'krew-'));
    try {
      const path = join(folder, 'eni.yaml');
      const valid = async (text: string): Promise<boolean> => {
        await writeFile(path, text);
        return run(validate, ['-manifest', path, '-skip-install']).then(
          () => true,
          () => false,
        );
      };
      expect(await valid(manifest)).to.equal(true);
      expect(await valid(manifest.replace('v1.2.3', '1.2.3'))).to.equal(false);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('names the archives of the release, by the names of Go', () => {
    expect(manifest).to.include(
      'https://github.com/owner/repository/releases/download/v1.2.3/kubectl-eni-linux-amd64.tar.gz',
    );
    expect(manifest).to.include('kubectl-eni-darwin-arm64.tar.gz');
    expect(() => krewManifest({ version: '1', repositoryUrl: '', archives: [] })).to.throw();
  });
});
