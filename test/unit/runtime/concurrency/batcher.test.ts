import { expect } from 'chai';
import type { SinonFakeTimers } from 'sinon';
import { systemClock } from '../../../../src/runtime/clock.js';
import { Batcher, type BatcherOptions } from '../../../../src/runtime/concurrency/batcher.js';
import { fakeTime } from '../../aws/fixtures.js';

describe('Batcher', () => {
  let timers: SinonFakeTimers;
  let fetches: { at: number; keys: string[] }[];

  beforeEach(() => {
    timers = fakeTime(0);
    fetches = [];
  });
  afterEach(() => timers.restore());

  /** Answers `value of <key>`, and knows no key that begins with `unknown`. */
  const answer = async (keys: string[]): Promise<Map<string, string>> => {
    fetches.push({ at: Date.now(), keys });
    return new Map(
      keys.filter((key) => !key.startsWith('unknown')).map((key) => [key, `value of ${key}`]),
    );
  };

  const create = (options: Partial<BatcherOptions<string, string>> = {}): Batcher<string, string> =>
    Batcher.create({
      fetch: answer,
      clock: systemClock,
      gatherMs: 20,
      minIntervalMs: 1_000,
      maxBatch: 200,
      ...options,
    });

  it('answers loads that come close together with one fetch, each key once', async () => {
    const batcher = create();
    const loads = Promise.all(['a', 'b', 'a', 'unknown-1'].map((key) => batcher.load(key)));

    await timers.tickAsync(20);

    expect(await loads).to.deep.equal(['value of a', 'value of b', 'value of a', undefined]);
    expect(fetches).to.deep.equal([{ at: 20, keys: ['a', 'b', 'unknown-1'] }]);
  });

  it('starts the first batch when the gathering time is over, however many still come', async () => {
    const batcher = create();
    void batcher.load('a');
    await timers.tickAsync(15);
    void batcher.load('b');
    await timers.tickAsync(5);

    expect(fetches).to.deep.equal([{ at: 20, keys: ['a', 'b'] }]);
  });

  it('keeps the least time between the starts of two batches', async () => {
    const batcher = create();
    void batcher.load('a');
    await timers.tickAsync(100);
    void batcher.load('b');
    await timers.tickAsync(500);
    void batcher.load('c');
    await timers.tickAsync(419);
    expect(fetches).to.have.length(1);

    await timers.tickAsync(1);
    expect(fetches[1]).to.deep.equal({ at: 1_020, keys: ['b', 'c'] });
  });

  it('lets as many batches as are allowed follow at once after a rest, and then keeps the pace', async () => {
    const batcher = create({ burst: 3 });
    for (const key of ['a', 'b', 'c', 'd', 'e']) {
      void batcher.load(key);
      await timers.tickAsync(50);
    }
    await timers.tickAsync(5_000);
    expect(fetches.map(({ at }) => at)).to.deep.equal([20, 70, 120, 1_020]);
  });

  it('starts a batch that is large enough at any time, and does not count it', async () => {
    const batcher = create({ unpacedFrom: 3 });
    void batcher.load('a');
    await timers.tickAsync(100);
    for (const key of ['b', 'c', 'c']) void batcher.load(key);
    await timers.tickAsync(100);
    expect(fetches.map(({ at }) => at)).to.deep.equal([20]);
    void batcher.load('d');
    await timers.tickAsync(100);
    void batcher.load('e');
    await timers.tickAsync(2_000);

    expect(fetches).to.deep.equal([
      { at: 20, keys: ['a'] },
      { at: 220, keys: ['b', 'c', 'd'] },
      { at: 1_020, keys: ['e'] },
    ]);
  });

  it('gathers again after a pause that was long enough', async () => {
    const batcher = create();
    void batcher.load('a');
    await timers.tickAsync(60_000);
    void batcher.load('b');
    await timers.tickAsync(20);

    expect(fetches.map(({ at }) => at)).to.deep.equal([20, 60_020]);
  });

  it('answers no load from a fetch that began before it', async () => {
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    let version = 'old';
    const batcher = create({
      fetch: async (keys) => {
        const seen = new Map(keys.map((key) => [key, version]));
        await held;
        return seen;
      },
    });
    const before = batcher.load('a');
    await timers.tickAsync(20);
    version = 'new';
    const after = batcher.load('a');
    await timers.tickAsync(1_000);

    release();

    expect(await before).to.equal('old');
    expect(await after).to.equal('new');
  });

  it('splits what a fetch cannot take into fetches that start together', async () => {
    const batcher = create({ maxBatch: 2 });
    const loads = Promise.all(['a', 'b', 'c', 'd', 'e'].map((key) => batcher.load(key)));

    await timers.tickAsync(20);

    expect(await loads).to.have.length(5);
    expect(fetches).to.deep.equal([
      { at: 20, keys: ['a', 'b'] },
      { at: 20, keys: ['c', 'd'] },
      { at: 20, keys: ['e'] },
    ]);
  });

  it('fails the loads of a failed fetch, and no others', async () => {
    const batcher = create({
      maxBatch: 2,
      fetch: (keys) => {
        if (keys.includes('bad')) throw new Error('no');
        return answer(keys);
      },
    });
    const loads = Promise.allSettled(['bad', 'a', 'b'].map((key) => batcher.load(key)));
    await timers.tickAsync(20);
    const later = batcher.load('a');
    await timers.tickAsync(1_000);

    expect((await loads).map(({ status }) => status)).to.deep.equal([
      'rejected',
      'rejected',
      'fulfilled',
    ]);
    expect(await later).to.equal('value of a');
  });
});
