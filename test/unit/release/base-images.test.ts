import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';

const run = promisify(execFile);
const DIGEST = `sha256:${'7'.repeat(64)}`;

describe('the base images', () => {
  let dir: string;
  let dockerfile: string;
  let tool: string;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'base-images-'));
    dockerfile = join(dir, 'Dockerfile');
    tool = join(dir, 'docker');
    await copyFile('Dockerfile', dockerfile);
  });

  afterEach(() => rm(dir, { recursive: true, force: true }));

  /** A stand-in for a container tool that asks a registry. */
  async function answering(answer: string): Promise<void> {
    await writeFile(tool, `#!/bin/sh\necho '${answer}'\n`);
    await chmod(tool, 0o755);
  }

  const make = (target: string) =>
    run('make', [target, `DOCKERFILE=${dockerfile}`, `CONTAINER_TOOL=${tool}`]);
  const from = async () =>
    (await readFile(dockerfile, 'utf8')).split('\n').filter((line) => line.startsWith('FROM'));

  it('are pinned by their digests, again and again, and nothing else changes', async () => {
    const before = await from();
    await answering(DIGEST);
    await make('pin-base-images');
    await make('pin-base-images');
    const pinned = before.map((line) => line.replace(/(\S+[/:]\S+)( AS)/, `$1@${DIGEST}$2`));
    expect(await from()).to.deep.equal(pinned);
    expect(pinned.filter((line) => line.includes(DIGEST))).to.have.length(2);
    await make('check-base-images');
  });

  it('hold up a release without digests', async () => {
    const failure = await make('check-base-images').catch((error: { stdout: string }) => error);
    expect(failure.stdout).to.include('node:24').and.include('make pin-base-images');
  });

  it('are shipped only with the signature of those who make them', async () => {
    await answering(DIGEST);
    await make('pin-base-images');
    const cosign = async (script: string) => {
      await writeFile(join(dir, 'cosign'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      const env = { ...process.env, PATH: `${dir}:${process.env.PATH}` };
      return run('make', ['verify-base-images', `DOCKERFILE=${dockerfile}`], { env });
    };
    const { stdout } = await cosign('echo "asked: $@"');
    expect(stdout).to.match(
      new RegExp(`^asked: verify gcr.io/distroless/\\S+@${DIGEST} .*keyless@distroless`, 'm'),
    );
    expect(await cosign('exit 1').catch(({ code }: { code: number }) => code)).to.equal(2);
  });

  it('stay as they are where the registry does not answer with a digest', async () => {
    const before = await from();
    await answering('manifest unknown');
    const failure = await make('pin-base-images').catch((error: { stderr: string }) => error);
    expect(failure.stderr).to.include('No digest of node:24');
    expect(await from()).to.deep.equal(before);
  });
});
