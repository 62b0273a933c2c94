import { expect } from 'chai';
import type { SinonFakeTimers } from 'sinon';
import { TransitionReads } from '../../../../src/aws/inventory/transition-reads.js';
import { systemClock } from '../../../../src/runtime/clock.js';
import { eniFixture, fakeTime } from '../fixtures.js';

describe('TransitionReads', () => {
  let timers: SinonFakeTimers;
  let dueAt: Map<string, number>;
  let reads: [time: number, eniId: string][];
  let read: (eniId: string) => Promise<unknown>;
  let transitions: TransitionReads;

  beforeEach(() => {
    timers = fakeTime(0);
    dueAt = new Map();
    reads = [];
    read = async (eniId) => {
      reads.push([Date.now(), eniId]);
    };
    transitions = new TransitionReads({
      times: { readAt: (eniId, _eni, now) => dueAt.get(eniId) ?? now },
      read: (eniId) => read(eniId),
      clock: systemClock,
      gatherMs: 100,
    });
  });
  afterEach(() => timers.restore());

  const next = (id: string): Promise<void> => transitions.next(eniFixture({ id }));

  it('reads what becomes due within a moment together, when no more become due', async () => {
    dueAt = new Map([
      ['a', 1_000],
      ['b', 1_020],
      ['c', 1_040],
      ['d', 1_100],
    ]);
    const all = Promise.all([...dueAt.keys()].map(next));

    await timers.tickAsync(2_000);
    await all;

    expect(reads).to.deep.equal([
      [1_065, 'a'],
      [1_065, 'b'],
      [1_065, 'c'],
      [1_125, 'd'],
    ]);
  });

  it('waits for a stream that does not end no longer than the gathering time', async () => {
    for (let at = 0; at < 300; at += 20) {
      void next(`eni-${at}`);
      await timers.tickAsync(20);
    }

    expect(new Set(reads.map(([time]) => time))).to.deep.equal(new Set([100, 200, 300]));
  });

  it('reads an ENI once for all that wait for it', async () => {
    const both = Promise.all([next('a'), next('a')]);

    await timers.tickAsync(100);
    await both;

    expect(reads).to.deep.equal([[25, 'a']]);
  });

  it('fails those that wait for a read that fails, and no other', async () => {
    read = async (eniId) => {
      if (eniId === 'a') throw new Error('throttled');
    };
    const results = Promise.allSettled([next('a'), next('b')]);

    await timers.tickAsync(100);

    expect((await results).map(({ status }) => status)).to.deep.equal(['rejected', 'fulfilled']);
  });
});
