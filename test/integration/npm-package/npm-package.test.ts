import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { DEFAULT_IDS, Ec2Simulator } from '../../../tools/ec2-simulator/index.js';
import { ConsumerProject } from './project.js';

const run = promisify(execFile);

/** Of the library with all its dependencies, in bytes. */
const MAX_LIBRARY = 600 * 1024;

const PROGRAM = `
  const manager = ENIManager.create({ region: 'us-west-2', owner: 'consumer' });
  const slot = { instanceId: process.argv[2] ?? '', deviceIndex: 1 };
  const eni: Eni = await manager.provideENI({
    ...slot,
    subnet: { name: 'net1' },
    securityGroups: [{ name: 'net1' }],
  }, { signal: AbortSignal.timeout(30_000) });
  const status: string | undefined = eni.attachment?.status;
  try {
    await manager.getSubnetByName('nothere');
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.log(error.reason, status, (await manager.removeENI(slot)).length);
  }
  manager.close();
`;

/** Types are stripped by Node itself. */
const SOURCES: Record<string, string> = {
  'esm.mts': `import { ENIManager, UserError, type Eni } from 'eni-operator';\n${PROGRAM}`,
  'commonjs.cts': `import lib = require('eni-operator');
    import type { Eni } from 'eni-operator';
    const { ENIManager, UserError } = lib;
    async function main(): Promise<void> {${PROGRAM}}
    void main();`,
};

describe('the npm package', function () {
  // The AWS CLI alone takes seconds for each of its calls.
  this.timeout(240_000);
  let project: ConsumerProject;
  let ec2: Ec2Simulator;
  let env: Record<string, string>;

  before(async () => {
    project = await ConsumerProject.create();
    ec2 = await Ec2Simulator.start({ throttling: false });
    env = {
      AWS_ENDPOINT_URL_EC2: ec2.url,
      AWS_REGION: 'us-west-2',
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
    };
  });
  after(async () => {
    await ec2?.stop();
    await project?.remove();
  });

  const instance = (): string => ec2.addInstance({ subnetId: DEFAULT_IDS.subnets.nodesA }).id;

  it('contains the library, its types, the commands, licenses and an SBOM, and nothing else', () => {
    const paths = project.packed.files.map(({ path }) => path);
    expect(paths.filter((path) => !path.startsWith('types/'))).to.have.members([
      'LICENSE',
      'README.md',
      'THIRD_PARTY_NOTICES.txt',
      'ec2-eni-simulator.mjs',
      'eni-operator.mjs',
      'kubectl-eni.mjs',
      'kubectl_complete-eni',
      'index.cjs',
      'index.d.cts',
      'index.d.mts',
      'index.mjs',
      'package.json',
      'sbom.cdx.json',
    ]);
    const types = paths.filter((path) => path.startsWith('types/'));
    expect(types.filter((path) => !/\.d\.ts$|^types\/package\.json$/.test(path))).to.deep.equal([]);
  });

  it('has a library of bounded size, and needs no other package', async () => {
    const script = `
      const { statSync, readFileSync } = require('node:fs');
      const folder = require('node:path').dirname(require.resolve('eni-operator'));
      const { dependencies } = require('eni-operator/package.json');
      console.log(JSON.stringify({ size: statSync(folder + '/index.cjs').size, dependencies }));`;
    const { size, dependencies } = JSON.parse(
      await project.run(process.execPath, ['--input-type=commonjs', '-e', script]),
    );
    expect(size).to.be.lessThan(MAX_LIBRARY);
    expect(dependencies).to.equal(undefined);
  });

  it('compiles with strict TypeScript, as an ES module and as CommonJS', async () => {
    await project.addNodeTypes();
    for (const [name, text] of Object.entries(SOURCES)) await project.write(name, text);
    const options = ['strict', 'exactOptionalPropertyTypes', 'noUncheckedIndexedAccess', 'noEmit'];
    await project.run(process.execPath, [
      resolve('node_modules/typescript/bin/tsc'),
      ...options.flatMap((option) => [`--${option}`, 'true']),
      ...['--skipLibCheck', 'false', '--module', 'nodenext', '--target', 'es2024'],
      ...['--types', 'node', ...Object.keys(SOURCES)],
    ]);
  });

  it('runs against EC2, as an ES module and as CommonJS', async () => {
    await project.write('esm.mjs', asJavaScript(SOURCES['esm.mts']));
    await project.write(
      'commonjs.cjs',
      asJavaScript(SOURCES['commonjs.cts']).replace('import lib =', 'const lib ='),
    );
    for (const name of ['esm.mjs', 'commonjs.cjs']) {
      const output = await project.run(process.execPath, [name, instance()], env);
      expect(output.trim(), name).to.equal('SubnetNotFound attached 1');
    }
    expect(ec2.state.enis.filter(({ attachment }) => attachment?.deviceIndex !== 0)).to.have.length(
      0,
    );
  });

  it('is one library for both: an error of one is an error of the other', async () => {
    const script = `
      import { createRequire } from 'node:module';
      import * as esm from 'eni-operator';
      const cjs = createRequire(import.meta.url)('eni-operator');
      console.log(esm.UserError === cjs.UserError, Object.keys(esm).sort().join());`;
    const output = await project.run(process.execPath, ['--input-type=module', '-e', script]);
    const names = Object.keys(await import('../../../src/index.js')).sort();
    expect(output.trim()).to.equal(`true ${names.join()}`);
  });

  it('does nothing when it is imported', async () => {
    // A dependency asks whether standard error is a terminal, which opens it.
    const script = `
      void process.stderr;
      const look = () => JSON.stringify({
        globals: Object.getOwnPropertyNames(globalThis).sort(),
        listeners: process.eventNames().map(String).sort(),
        active: process.getActiveResourcesInfo(),
        env: process.env,
      });
      const before = look();
      require('eni-operator');
      console.log(look() === before, 'metadata' in Reflect);`;
    const output = await project.run(process.execPath, ['--input-type=commonjs', '-e', script]);
    expect(output.trim()).to.equal('true false');
  });

  it('is a plugin that kubectl finds and completes', async function () {
    const isThere = await run('kubectl', ['version', '--client']).then(
      () => true,
      () => false,
    );
    if (!isThere) this.skip();
    const bin = join(project.folder, 'node_modules', '.bin');
    const path = { PATH: [dirname(process.execPath), bin, process.env.PATH].join(delimiter) };
    const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
    expect(await project.run('kubectl', ['eni', '--version'], path)).to.equal(`${version}\n`);
    const completed = await project.run('kubectl', ['__complete', 'eni', 'do'], path);
    expect(completed).to.match(/^doctor\t/);
  });

  it('completes in bash', async () => {
    const bin = join(project.folder, 'node_modules', '.bin');
    const path = { PATH: [dirname(process.execPath), bin, process.env.PATH].join(delimiter) };
    const script = `source <(kubectl-eni completion bash)
      complete_words() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _kubectl_eni; echo "\${COMPREPLY[@]}"; }
      complete_words kubectl-eni sta
      complete_words kubectl-eni status -o ''
      complete_words kubectl-eni plan -f package`;
    const output = await project.run('bash', ['-c', script], path);
    const [command, formats, paths = ''] = output.split('\n');
    expect([command, formats]).to.deep.equal(['status', 'table json yaml']);
    expect(paths.split(' ')).to.have.members(['package.json', 'package-lock.json']);
  });

  it('runs the examples of the library', async () => {
    await project.copy('examples/library');
    const provided = await project.run(
      process.execPath,
      ['examples/library/provide-eni.mjs', instance(), 'net1', 'net1'],
      env,
    );
    expect(provided).to.match(/^(eni-\w+) is attached with 10\.0\.\d+\.\d+\n\1 is gone\n$/);
    const steps = await project.run(
      process.execPath,
      ['examples/library/step-by-step.cjs', instance(), 'net1', 'net1'],
      env,
    );
    expect(steps).to.match(/ has 2 ENIs, (eni-\w+) among them\n\1 is deleted\n$/);
  });

  it('runs by its own name what npx is asked for', async () => {
    const name = join(project.folder, 'node_modules/.bin/eni-operator');
    const help = (...args: string[]) => project.run(process.execPath, [name, ...args, '--help']);
    expect(await help('simulator')).to.match(/^Usage: ec2-eni-simulator/);
    expect(await help('doctor')).to.match(/^Usage: kubectl-eni doctor/);
  });

  it('has the simulator as a command', async () => {
    const simulator = spawn(
      process.execPath,
      [join(project.folder, 'node_modules/.bin/ec2-eni-simulator'), '--region', 'eu-west-1'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    try {
      const [line] = (await once(simulator.stdout, 'data')) as [Buffer];
      const [url = ''] = /http:\/\/127\.0\.0\.1:\d+/.exec(line.toString()) ?? [];
      const state = (await (await fetch(`${url}/_control/state`)).json()) as {
        subnets: { zone: string }[];
      };
      expect(new Set(state.subnets.map(({ zone }) => zone))).to.have.keys(
        'eu-west-1a',
        'eu-west-1b',
      );
    } finally {
      simulator.kill();
      await once(simulator, 'exit');
    }
  });

  it('runs the examples of the simulator', async function () {
    const python = await run('python3', ['-c', 'import boto3']).then(
      () => true,
      () => false,
    );
    const cli = await run('aws', ['--version']).then(
      () => true,
      () => false,
    );
    if (cli) {
      const output = await project.run('bash', [resolve('examples/simulator/aws-cli.sh')], {
        ENDPOINT: ec2.url,
      });
      expect(output).to.match(/^eni-\w+\s+0\s+in-use\n(eni-\w+)\s+1\s+in-use\n\1 is deleted\n$/);
    }
    if (python) {
      const output = await project.run('python3', [
        resolve('examples/simulator/boto3_example.py'),
        ec2.url,
      ]);
      expect(output).to.match(
        /^eni-\w+ is attached at device index 1\neni-\w+ is attached at device index 2\ndevice index 3: AttachmentLimitExceeded\n3 ENIs are deleted\n$/,
      );
    }
    if (!cli || !python) {
      console.log(`        skipped in part: there is no ${cli ? 'boto3 for python3' : 'AWS CLI'}`);
      this.skip();
    }
  });
});

/** The program without its types. */
function asJavaScript(text = ''): string {
  return text
    .replaceAll(/: (Eni|string \| undefined|Promise<void>) (?=[={])/g, ' ')
    .replace(', type Eni', '')
    .replace(/^ *import type .*$/m, '');
}
