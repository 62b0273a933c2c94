import { expect } from 'chai';
import { FairLimit } from '../../../../src/runtime/concurrency/fair-queue.js';

describe('FairLimit', () => {
  /** Tasks that end when they are told to. */
  function stage(limit: FairLimit) {
    const started: string[] = [];
    const ends = new Map<string, () => void>();
    const run = (owner: string, name: string): Promise<void> =>
      limit.run(owner, () => {
        started.push(name);
        return new Promise<void>((resolve) => ends.set(name, resolve));
      });
    const end = async (name: string): Promise<void> => {
      ends.get(name)?.();
      await new Promise(setImmediate);
    };
    return { started, run, end };
  }

  it('runs no more at once than it may, and each in the end', async () => {
    const { started, run, end } = stage(new FairLimit(2));
    for (const name of ['a1', 'a2', 'a3']) void run('a', name);
    expect(started).to.deep.equal(['a1', 'a2']);
    await end('a1');
    expect(started).to.deep.equal(['a1', 'a2', 'a3']);
  });

  it('lets owners take turns', async () => {
    const { started, run, end } = stage(new FairLimit(1));
    for (const name of ['a1', 'a2', 'a3', 'a4']) void run('a', name);
    void run('b', 'b1');
    for (const name of ['a1', 'a2', 'b1', 'a3']) await end(name);
    expect(started).to.deep.equal(['a1', 'a2', 'b1', 'a3', 'a4']);
  });

  it('gives the place of a task that fails to the next', async () => {
    const limit = new FairLimit(1);
    const failing = limit.run('a', () => Promise.reject(new Error('no')));
    const next = limit.run('a', () => Promise.resolve('done'));
    expect(await failing.catch((error: Error) => error.message)).to.equal('no');
    expect(await next).to.equal('done');
  });
});
