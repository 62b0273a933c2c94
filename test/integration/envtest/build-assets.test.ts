import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  type BuildAssetsOptions,
  BuildError,
  buildAssets,
} from '../../../tools/envtest/build-assets.js';

/** Stands for Go: logs its arguments, takes a moment, and writes the file that -o names. */
const FAKE_GO = `#!/bin/sh
echo "$@" >> "$CALLS"
while [ "$1" != -o ]; do shift; done
sleep 0.2
echo "built from $PWD" > "$2"
chmod +x "$2"
`;

describe('buildAssets', () => {
  let root: string;
  let lines: string[];
  let options: BuildAssetsOptions;
  const at = (...parts: string[]): string => join(root, ...parts);

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'eni-operator-build-test-'));
    await mkdir(at('bin'));
    await mkdir(at('module'));
    await writeFile(at('module', 'go.mod'), 'require (\n\tk8s.io/kubernetes v1.2.3\n)\n');
    await installGo(FAKE_GO);
    lines = [];
    options = {
      moduleDir: at('module'),
      cacheDir: at('cache'),
      env: { PATH: `${at('bin')}:/usr/bin:/bin`, CALLS: at('calls') },
      logger: (line) => lines.push(line),
    };
  });

  afterEach(() => rm(root, { recursive: true }));

  async function installGo(script: string): Promise<void> {
    await writeFile(at('bin', 'go'), script, { mode: 0o755 });
  }

  async function calls(): Promise<string[]> {
    return (await readFile(at('calls'), 'utf8')).trimEnd().split('\n');
  }

  /** The id of a process that has ended. */
  function deadPid(): number {
    return spawnSync('/bin/true').pid;
  }

  it('leaves the two binaries in the cache, and nothing else', async () => {
    await buildAssets(options);
    expect(await readdir(at('cache'))).to.have.members(['etcd', 'kube-apiserver']);
    expect(await readFile(at('cache', 'etcd'), 'utf8')).to.include(at('module'));
  });

  it("gives the API server the version of go.mod's Kubernetes", async () => {
    await buildAssets(options);
    for (const call of await calls()) {
      expect(call).to.include('-X k8s.io/component-base/version.gitVersion=v1.2.3');
    }
  });

  it('says at the start how long it takes, and then what it builds', async () => {
    await buildAssets(options);
    expect(lines[0]).to.include('about 4 minutes');
    expect(lines.slice(1).map((line) => line.replace(/ \(\d+ s\)$/, ''))).to.deep.equal([
      'Building etcd',
      'Building kube-apiserver',
    ]);
  });

  it('builds once when two ask at the same time', async () => {
    await Promise.all([buildAssets(options), buildAssets(options)]);
    expect(await calls()).to.have.length(2);
    expect(lines.join('\n')).to.include(`Waiting for process ${process.pid}`);
    expect(await readdir(at('cache'))).to.have.members(['etcd', 'kube-apiserver']);
  });

  it('builds itself when the one it waited for fails', async () => {
    await installGo(`#!/bin/sh
if mkdir "$CALLS.first" 2>/dev/null; then sleep 0.2; exit 1; fi
${FAKE_GO.replace('#!/bin/sh\n', '')}`);
    const results = await Promise.allSettled([buildAssets(options), buildAssets(options)]);
    expect(results.map(({ status }) => status)).to.have.members(['rejected', 'fulfilled']);
    expect(await readdir(at('cache'))).to.have.members(['etcd', 'kube-apiserver']);
  });

  it('breaks the lock and removes the leftovers of a process that died while building', async () => {
    const pid = deadPid();
    await mkdir(at('cache', `build-${pid}-abc`), { recursive: true });
    await symlink(String(pid), at('cache', 'lock'));
    await buildAssets(options);
    expect(await readdir(at('cache'))).to.have.members(['etcd', 'kube-apiserver']);
  });

  it('shows what Go said when the build fails, and leaves nothing in the cache', async () => {
    await installGo('#!/bin/sh\necho "go.mod: unknown directive" >&2\nexit 1\n');
    const error = await buildAssets(options).catch((error: unknown) => error);
    expect(error).to.be.instanceOf(BuildError);
    expect(String(error)).to.include('go.mod: unknown directive');
    expect(await readdir(at('cache'))).to.deep.equal([]);
  });

  it('says what to do when there is no Go', async () => {
    options = { ...options, env: { PATH: at('nowhere') } };
    const error = await buildAssets(options).catch((error: unknown) => error);
    expect(error).to.be.instanceOf(BuildError);
    for (const remedy of ['KUBEBUILDER_ASSETS', 'Go 1.26', 'USE_EXISTING_CLUSTER=true']) {
      expect(String(error)).to.include(remedy);
    }
  });
});
