import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { VERSION } from '../../../src/config/version.js';
import { SimulatorControl } from '../../../tools/ec2-simulator/index.js';

const MAIN = fileURLToPath(new URL('../../../tools/ec2-simulator/main.js', import.meta.url));
const run = promisify(execFile);

describe('The simulator as a program', () => {
  let program: ChildProcess | undefined;

  afterEach(() => {
    program?.kill('SIGKILL');
    program = undefined;
  });

  /** Starts the program. @returns its URL, from the line that it prints. */
  async function start(...args: string[]): Promise<string> {
    const child = spawn(process.execPath, [MAIN, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    program = child;
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(line.toString())?.[0];
    return url ?? expect.fail(`no URL in: ${line}`);
  }

  it('prints its URL, obeys its options, and ends on SIGTERM', async () => {
    const url = await start('--throttling', '0.01', '--latency', 'create=300,describe=5');
    const statuses: number[] = [];
    for (let i = 0; i < 2; i++) {
      const response = await fetch(url, { method: 'POST', body: 'Action=DescribeVpcs' });
      statuses.push(response.status);
    }
    expect(statuses).to.deep.equal([200, 503]);
    program?.kill('SIGTERM');
    expect(await once(program as ChildProcess, 'exit')).to.deep.equal([0, null]);
  });

  const newerFormat = join(mkdtempSync(join(tmpdir(), 'ec2-eni-simulator-')), 'options.json');
  before(() => writeFileSync(newerFormat, '{ "version": 2 }'));
  after(() => rmSync(dirname(newerFormat), { recursive: true }));

  it('says its version', async () => {
    const { stdout } = await run(process.execPath, [MAIN, '--version']);
    expect(stdout.trim()).to.equal(VERSION);
  });

  const refusals: [title: string, args: string[], message: RegExp][] = [
    ['an action that it does not know', ['--latency', 'fly=3'], /no action begins with 'fly'/],
    [
      'a latency that is no number',
      ['--latency', 'create=x'],
      /'create=x' is not NAME=MILLISECONDS/,
    ],
    [
      'another kind of transition',
      ['--transition', 'fly=3'],
      /transition\.property fly should not/,
    ],
    ['a format that it does not know', ['--config', newerFormat], /version must be equal to 1/],
    ['a port that is no number', ['--port', 'http'], /port must be/],
  ];
  for (const [title, args, message] of refusals) {
    it(`refuses ${title}`, async () => {
      const failure = await run(process.execPath, [MAIN, ...args]).then(
        () => expect.fail('it started'),
        (err: { code: number; stderr: string }) => err,
      );
      expect(failure.code).to.equal(1);
      expect(failure.stderr).to.match(message);
    });
  }

  it('serves the AWS CLI', async function () {
    const aws = await run('aws', ['--version']).catch(() => undefined);
    if (!aws) {
      this.skip();
    }
    const url = await start();
    const instance = await new SimulatorControl(url).addInstance();
    const { stdout } = await run(
      'aws',
      [
        ...['--endpoint-url', url, '--region', 'us-west-2', '--output', 'json'],
        ...['ec2', 'describe-network-interfaces'],
        ...['--filters', `Name=attachment.instance-id,Values=${instance.id}`],
      ],
      { env: { ...process.env, AWS_ACCESS_KEY_ID: 'any', AWS_SECRET_ACCESS_KEY: 'any' } },
    );
    const { NetworkInterfaces } = JSON.parse(stdout) as {
      NetworkInterfaces: { PrivateIpAddress: string }[];
    };
    expect(NetworkInterfaces.map((eni) => eni.PrivateIpAddress)).to.deep.equal(['10.0.0.4']);
  });
});
