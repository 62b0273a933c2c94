import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { type BuildFailure, build } from 'esbuild';
import { type NativeKoffiOptions, nativeKoffi } from '../../../tools/bundle/native-koffi.js';

const run = promisify(execFile);

const PROGRAM = `
  import { load } from 'koffi';
  console.log(load(null).func('int getppid()')());
`;

describe('A bundle’s native code', () => {
  let folder: string;
  let told: readonly string[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'native-koffi-'));
    told = [];
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  const bundle = async (options: NativeKoffiOptions): Promise<string[]> => {
    const onArchitectures = (all: readonly string[]): void => {
      told = all;
    };
    await build({
      stdin: { contents: PROGRAM },
      outdir: join(folder, 'out'),
      outExtension: { '.js': '.mjs' },
      chunkNames: '[name]-[hash]',
      bundle: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'silent',
      plugins: [nativeKoffi({ ...options, onArchitectures })],
    });
    return (await readdir(join(folder, 'out'))).sort();
  };

  const install = async (name: string, version: string, binary?: string): Promise<void> => {
    const path = join(folder, 'packages', name);
    await mkdir(join(path, binary ?? ''), { recursive: true });
    await writeFile(join(path, 'package.json'), JSON.stringify({ name, version }));
    if (binary) await writeFile(join(path, binary, 'koffi.node'), '');
  };

  const failureOf = (options: NativeKoffiOptions): Promise<string> =>
    bundle(options).then(
      () => 'none',
      (error: BuildFailure) => error.message,
    );

  it('calls the C library from where the bundle is, without any package', async () => {
    const files = await bundle({ architectures: [process.arch] });
    expect(files).to.deep.equal([`koffi-${process.arch}.node`, 'stdin.mjs']);
    const { stdout } = await run(process.execPath, [join(folder, 'out', 'stdin.mjs')], {
      cwd: folder,
    });
    expect(Number(stdout)).to.equal(process.pid);
  });

  it('is for each architecture that is installed, and it is told which', async () => {
    await install('koffi', '3.0.0');
    await install('@koromix/koffi-linux-x64', '3.0.0', 'linux_x64');
    await install('@koromix/koffi-linux-arm64', '3.0.0', 'linux_arm64');
    await install('@koromix/koffi-darwin-arm64', '3.0.0', 'darwin_arm64');
    const files = await bundle({ packages: join(folder, 'packages') });
    expect(files).to.deep.equal(['koffi-arm64.node', 'koffi-x64.node', 'stdin.mjs']);
    expect(told).to.deep.equal(['arm64', 'x64']);
  });

  it('fails the build where an architecture that is asked for is not installed', async () => {
    await install('koffi', '3.0.0');
    await install('@koromix/koffi-linux-x64', '3.0.0', 'linux_x64');
    const packages = join(folder, 'packages');
    expect(await failureOf({ packages, architectures: ['x64'] })).to.equal('none');
    expect(await failureOf({ packages, architectures: ['x64', 'arm64'] })).to.include(
      '@koromix/koffi-linux-arm64 3.0.0 must be installed (npm ci --cpu=arm64); there is none',
    );
  });

  it('fails the build where it is of another version than the module', async () => {
    await install('koffi', '3.0.0');
    await install('@koromix/koffi-linux-x64', '2.0.0', 'linux_x64');
    expect(await failureOf({ packages: join(folder, 'packages') })).to.include('there is 2.0.0');
  });
});
