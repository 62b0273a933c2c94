import { expect } from 'chai';
import { systemClock } from '../../../../src/runtime/clock.js';
import {
  WorkQueue,
  type WorkQueueObserver,
} from '../../../../src/runtime/controller/work-queue.js';
import { useFakeTime } from '../support/fake-timers.js';

describe('WorkQueue', () => {
  const time = useFakeTime();
  let queue: WorkQueue;

  beforeEach(() => {
    queue = WorkQueue.create({ clock: systemClock });
  });

  /** Takes what is ready, and says done at once. */
  async function drain(): Promise<string[]> {
    const keys: string[] = [];
    while (queue.depth > 0) {
      const key = await queue.get();
      if (key === undefined) break;
      keys.push(key);
      queue.done(key);
    }
    return keys;
  }

  it('hands keys out in the order in which they were added', async () => {
    for (const key of ['c', 'a', 'b']) queue.add(key);
    expect(await drain()).to.deep.equal(['c', 'a', 'b']);
  });

  it('holds a key once, however often it is added', async () => {
    for (const key of ['a', 'b', 'a', 'a']) queue.add(key);
    expect(await drain()).to.deep.equal(['a', 'b']);
  });

  it('gives a key to one worker at a time, and again after an add in between', async () => {
    queue.add('a');
    expect(await queue.get()).to.equal('a');
    queue.add('a');
    queue.add('a');
    expect(queue.depth).to.equal(0);
    queue.done('a');
    expect(await drain()).to.deep.equal(['a']);
  });

  it('does not hand a key out again without an add', async () => {
    queue.add('a');
    queue.done((await queue.get()) ?? '');
    expect(queue.depth).to.equal(0);
  });

  it('wakes the workers that wait, the longest waiting first', async () => {
    const woken: string[] = [];
    void queue.get().then((key) => woken.push(`first ${key}`));
    void queue.get().then((key) => woken.push(`second ${key}`));
    queue.add('a');
    queue.add('b');
    await time.tick(0);
    expect(woken).to.deep.equal(['first a', 'second b']);
  });

  it('readies a delayed key when its time has come, and not before', async () => {
    queue.addAfter('a', 100);
    await time.tick(99);
    expect(queue.depth).to.equal(0);
    await time.tick(1);
    expect(await drain()).to.deep.equal(['a']);
  });

  it('lets the earlier of two times win', async () => {
    queue.addAfter('a', 100);
    queue.addAfter('a', 20);
    queue.addAfter('a', 500);
    await time.tick(20);
    expect(await drain()).to.deep.equal(['a']);
    await time.tick(1_000);
    expect(await drain()).to.deep.equal([]);
  });

  it('readies a key that backs off when something new happens to it', async () => {
    queue.addAfter('a', 10_000);
    queue.add('a');
    expect(await drain()).to.deep.equal(['a']);
    await time.tick(10_000);
    expect(await drain(), 'the delay it waited for is over').to.deep.equal([]);
  });

  it('readies a key at once for a delay of zero or less', async () => {
    queue.addAfter('a', 0);
    queue.addAfter('b', -5);
    expect(await drain()).to.deep.equal(['a', 'b']);
  });

  it('keeps a delay that is longer than a timer of Node can be', async () => {
    const days = 86_400_000;
    queue.addAfter('a', 30 * days);
    await time.tick(29 * days);
    expect(queue.depth).to.equal(0);
    await time.tick(days);
    expect(await drain()).to.deep.equal(['a']);
  });

  it('doubles the delay of a failing key until it is forgotten', async () => {
    const waits: number[] = [];
    for (let failure = 0; failure < 3; failure++) {
      queue.addRateLimited('a');
      const before = Date.now();
      while (queue.depth === 0) await time.tick(1);
      waits.push(Date.now() - before);
      await drain();
    }
    expect(waits).to.deep.equal([5, 10, 20]);
    expect(queue.numRequeues('a')).to.equal(3);
    queue.forget('a');
    expect(queue.numRequeues('a')).to.equal(0);
  });

  it('tells workers to go home once it is shut down, and hands nothing out any more', async () => {
    const waiting = queue.get();
    queue.addAfter('late', 10);
    queue.shutDown();
    expect(await waiting).to.equal(undefined);
    queue.add('a');
    queue.addRateLimited('b');
    await time.tick(100);
    expect(queue.depth).to.equal(0);
    expect(await queue.get()).to.equal(undefined);
  });

  it('keeps what was ready back at shutdown', async () => {
    queue.add('a');
    queue.shutDown();
    expect(await queue.get()).to.equal(undefined);
  });

  it('hands nothing out while it is paused, and all that waits afterwards', async () => {
    const handedOut: (string | undefined)[] = [];
    const worker = async () => handedOut.push(await queue.get());
    void worker();
    queue.pause();
    for (const key of ['a', 'b', 'c']) queue.add(key);
    void worker();
    await time.tick(0);
    expect(handedOut).to.deep.equal([]);
    expect(queue.depth).to.equal(3);
    queue.resume();
    await time.tick(0);
    expect(handedOut).to.deep.equal(['a', 'b']);
    expect(await queue.get()).to.equal('c');
  });

  it('sends the workers of a paused queue home at shutdown', async () => {
    queue.pause();
    const key = queue.get();
    queue.shutDown();
    expect(await key).to.equal(undefined);
  });

  it('knows which keys are worked on, and for how long', async () => {
    queue.add('a');
    await queue.get();
    await time.tick(250);
    expect(queue.inProgress()).to.deep.equal([{ key: 'a', forMs: 250 }]);
    queue.done('a');
    expect(queue.inProgress()).to.deep.equal([]);
  });

  it('reports adds, retries, waits and work in seconds to its observer', async () => {
    const told: string[] = [];
    const observer: WorkQueueObserver = {
      added: () => told.push('added'),
      retried: () => told.push('retried'),
      started: (seconds) => told.push(`started after ${seconds}`),
      finished: (seconds) => told.push(`finished after ${seconds}`),
    };
    queue = WorkQueue.create({ clock: systemClock, observer });
    queue.addRateLimited('a');
    await time.tick(2_005);
    await queue.get();
    await time.tick(500);
    queue.done('a');
    expect(told).to.deep.equal(['retried', 'added', 'started after 2', 'finished after 0.5']);
  });
});
