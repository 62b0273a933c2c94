import { expect } from 'chai';
import {
  ProcessStartError,
  SupervisedProcess,
  type SupervisedProcessOptions,
} from '../../../tools/envtest/supervised-process.js';
import { untilTrue } from '../../support/eventually.js';
import { exists, processesNaming, runFixture } from './support.js';

function shell(script: string, options: Partial<SupervisedProcessOptions> = {}) {
  return SupervisedProcess.start({
    name: 'example',
    command: '/bin/sh',
    args: ['-c', script],
    isHealthy: async () => true,
    startTimeoutMs: 10_000,
    stopTimeoutMs: 10_000,
    ...options,
  });
}

async function startError(start: Promise<SupervisedProcess>): Promise<ProcessStartError> {
  const error = await start.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(error instanceof ProcessStartError)) throw new Error(`no ProcessStartError: ${error}`);
  return error;
}

describe('SupervisedProcess', () => {
  it('reports a process that ends before it is healthy, with its exit code and its last lines', async () => {
    const script = 'for i in $(seq 100); do echo "line $i"; done; echo "no such flag" >&2; exit 3';
    const error = await startError(shell(script, { isHealthy: async () => false }));
    expect(error.message).to.include('example ended with code 3');
    expect(error.output).to.include('line 100').and.to.include('no such flag');
    expect(error.output).not.to.include('line 50\n');
  });

  it('reports a command that does not exist', async () => {
    const error = await startError(
      shell('', { command: '/nonexistent/etcd', isHealthy: async () => false }),
    );
    expect(error.message).to.include('ended with code 127').and.to.include('/nonexistent/etcd');
  });

  it('kills a process that is not healthy in time', async () => {
    const marker = `marker-${process.pid}-late`;
    const error = await startError(
      shell(`: ${marker}; trap "" TERM; while :; do sleep 0.05; done`, {
        isHealthy: async () => false,
        startTimeoutMs: 200,
      }),
    );
    expect(error.message).to.include('was not healthy after 0.2 s');
    expect(await processesNaming(marker)).to.deep.equal([]);
  });

  it('takes an exception of the health check for "not yet"', async () => {
    let calls = 0;
    const process = await shell('sleep 60', {
      isHealthy: async () => {
        calls++;
        if (calls < 3) throw new Error('connection refused');
        return true;
      },
    });
    await process.kill();
    expect(calls).to.equal(3);
  });

  it('passes on each line that the process prints', async () => {
    const lines: string[] = [];
    const process = await shell('echo out; echo err >&2; sleep 60', {
      isHealthy: async () => lines.length === 2,
      onLine: (line) => lines.push(line),
    });
    await process.kill();
    expect(lines).to.have.members(['out', 'err']);
  });

  it('lets a process end politely when stopped', async () => {
    const lines: string[] = [];
    const process = await shell(
      'trap "echo bye; exit 0" TERM; echo ready; while :; do sleep 0.05; done',
      {
        isHealthy: async () => lines.includes('ready'),
        onLine: (line) => lines.push(line),
      },
    );
    await process.stop();
    expect(process.running).to.equal(false);
    await untilTrue('the farewell is read', async () => lines.includes('bye'));
  });

  it('kills a process that does not end in time when stopped', async () => {
    const marker = `marker-${process.pid}-stubborn`;
    const lines: string[] = [];
    const stubborn = await shell(
      `: ${marker}; trap "" TERM; echo ready; while :; do sleep 0.05; done`,
      {
        isHealthy: async () => lines.includes('ready'),
        onLine: (line) => lines.push(line),
        stopTimeoutMs: 100,
      },
    );
    await stubborn.stop();
    await stubborn.stop();
    expect(stubborn.running).to.equal(false);
    expect(await processesNaming(marker)).to.deep.equal([]);
  });

  it('keeps no process from ending, and ends with it', async () => {
    const { line: directory, ended } = await runFixture('hold-process', 'end');
    expect(await ended).to.deep.equal([0, null]);
    await untilTrue(
      'the child is gone',
      async () => (await processesNaming(directory)).length === 0,
    );
    expect(await exists(directory)).to.equal(false);
  });

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
    it(`ends, with its directory, when ${signal} ends its parent`, async () => {
      const { line: directory, child, ended } = await runFixture('hold-process');
      expect(await processesNaming(directory)).not.to.deep.equal([]);
      child.kill(signal);
      expect(await ended).to.deep.equal([null, signal]);
      await untilTrue(
        'the child is gone',
        async () => (await processesNaming(directory)).length === 0,
      );
      expect(await exists(directory)).to.equal(false);
    });
  }
});
