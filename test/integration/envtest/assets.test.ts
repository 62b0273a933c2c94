import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { AssetError, type FindAssetsOptions, findAssets } from '../../../tools/envtest/assets.js';

const GO_SUM = 'example.invalid/module v1.0.0 h1:abc=\n';
const KEY = createHash('sha256').update(GO_SUM).digest('hex').slice(0, 16);

describe('findAssets', () => {
  let root: string;
  let builds: string[];
  let options: FindAssetsOptions & { env: Record<string, string> };
  const at = (...parts: string[]): string => join(root, ...parts);

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'eni-operator-assets-test-'));
    await file(at('module', 'go.sum'), GO_SUM);
    builds = [];
    options = {
      env: { XDG_CACHE_HOME: at('cache') },
      moduleDir: at('module'),
      systemDir: at('system'),
      build: async ({ cacheDir }) => {
        builds.push(cacheDir);
      },
    };
  });

  afterEach(() => rm(root, { recursive: true }));

  const cacheDir = (): string => at('cache', 'eni-operator', 'envtest', KEY);

  async function install(dir: string, ...names: string[]): Promise<void> {
    for (const name of names) await file(join(dir, name), '#!/bin/sh\n', 0o755);
  }

  function inDir(dir: string) {
    return { kubeApiServer: join(dir, 'kube-apiserver'), etcd: join(dir, 'etcd') };
  }

  it('takes each place before the next one', async () => {
    await install(at('system'), 'kube-apiserver', 'etcd');
    expect(await findAssets(options)).to.deep.equal(inDir(at('system')));

    await install(cacheDir(), 'kube-apiserver', 'etcd');
    expect(await findAssets(options)).to.deep.equal(inDir(cacheDir()));

    await install(at('kubebuilder'), 'kube-apiserver', 'etcd');
    options.env.KUBEBUILDER_ASSETS = at('kubebuilder');
    expect(await findAssets(options)).to.deep.equal(inDir(at('kubebuilder')));

    await install(at('mine'), 'kube-apiserver', 'etcd');
    options.env.TEST_ASSET_KUBE_APISERVER = at('mine', 'kube-apiserver');
    options.env.TEST_ASSET_ETCD = at('mine', 'etcd');
    expect(await findAssets(options)).to.deep.equal(inDir(at('mine')));
    expect(builds).to.deep.equal([]);
  });

  it('looks for each binary on its own', async () => {
    await install(at('system'), 'kube-apiserver');
    await install(at('mine'), 'etcd');
    options.env.TEST_ASSET_ETCD = at('mine', 'etcd');
    expect(await findAssets(options)).to.deep.equal({
      kubeApiServer: at('system', 'kube-apiserver'),
      etcd: at('mine', 'etcd'),
    });
  });

  it('keeps the cache below HOME when XDG_CACHE_HOME is unset', async () => {
    options.env = { HOME: at('home') };
    const dir = at('home', '.cache', 'eni-operator', 'envtest', KEY);
    await install(dir, 'kube-apiserver', 'etcd');
    expect(await findAssets(options)).to.deep.equal(inDir(dir));
  });

  it('builds into the cache when a binary is nowhere', async () => {
    await install(at('system'), 'kube-apiserver');
    expect(await findAssets(options)).to.deep.equal({
      kubeApiServer: at('system', 'kube-apiserver'),
      etcd: join(cacheDir(), 'etcd'),
    });
    expect(builds).to.deep.equal([cacheDir()]);
  });

  it('takes the binaries of another go.sum for no binaries', async () => {
    await install(cacheDir(), 'kube-apiserver', 'etcd');
    await file(at('module', 'go.sum'), `${GO_SUM}another.invalid/module v1.0.0 h1:def=\n`);
    await findAssets(options);
    expect(builds).to.have.length(1);
    expect(builds).not.to.include(cacheDir());
  });

  for (const [variable, name] of [
    ['TEST_ASSET_KUBE_APISERVER', 'kube-apiserver'],
    ['TEST_ASSET_ETCD', 'etcd'],
    ['KUBEBUILDER_ASSETS', ''],
  ] as const) {
    it(`says so when ${variable} names what is missing, though a later place has it`, async () => {
      await install(cacheDir(), 'kube-apiserver', 'etcd');
      options.env[variable] = at('missing', name);
      const error = await findAssets(options).catch((error: unknown) => error);
      expect(error).to.be.instanceOf(AssetError);
      expect(String(error)).to.include(variable).and.to.include(at('missing'));
    });
  }

  for (const [what, path] of [
    ['a file without the right to execute it', ['mine', 'etcd']],
    ['a folder', ['mine']],
  ] as const) {
    it(`says so when a variable names ${what}`, async () => {
      await file(at('mine', 'etcd'), 'text', 0o644);
      await install(cacheDir(), 'kube-apiserver', 'etcd');
      options.env.TEST_ASSET_ETCD = at(...path);
      const error = await findAssets(options).catch((error: unknown) => error);
      expect(error).to.be.instanceOf(AssetError);
      expect(String(error)).to.include('not an executable file');
    });
  }
});

async function file(path: string, text: string, mode = 0o644): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text, { mode });
}
