import { expect } from 'chai';
import sinon from 'sinon';
import { reach } from '../../../bench/goal.js';
import { sleep, systemClock } from '../../../src/runtime/clock.js';

describe('Reaching a goal', () => {
  let timers: sinon.SinonFakeTimers;
  let abort: AbortController;

  beforeEach(() => {
    timers = sinon.useFakeTimers();
    abort = new AbortController();
  });

  afterEach(() => timers.restore());

  /** Counts 0 until `doneAt` milliseconds, then 3; a look takes `lookMs`. */
  function goal({ doneAt, lookMs }: { doneAt: number; lookMs: number }) {
    const count = async (): Promise<number> => {
      await sleep(systemClock, lookMs);
      return Date.now() < doneAt ? 0 : 3;
    };
    return { what: 'things', target: 3, count };
  }

  it('looks every 20 ms, and reports when it first saw the count', async () => {
    const counts: number[] = [];
    const reached = reach(goal({ doneAt: 55, lookMs: 0 }), {
      clock: systemClock,
      signal: abort.signal,
      onCount: (count) => counts.push(count),
    });
    await timers.runAllAsync();
    expect(await reached).to.equal(60);
    expect(counts).to.deep.equal([0, 0, 0, 3]);
  });

  it('looks for a tenth of the time where a look takes long', async () => {
    const looks = sinon.spy(goal({ doneAt: 1_000, lookMs: 50 }).count);
    const reached = reach(
      { what: 'things', target: 3, count: looks },
      { clock: systemClock, signal: abort.signal },
    );
    await timers.runAllAsync();
    // Looks end at 50, 550 and 1,050.
    expect(await reached).to.equal(1_050);
    expect(looks.callCount).to.equal(3);
  });

  it('ends with the reason of the signal', async () => {
    const reached = reach(goal({ doneAt: 1_000, lookMs: 0 }), {
      clock: systemClock,
      signal: abort.signal,
    });
    const failure = reached.then(
      () => expect.fail('it was reached'),
      (error: unknown) => error,
    );
    await timers.tickAsync(100);
    const reason = new Error('enough');
    abort.abort(reason);
    expect(await failure).to.equal(reason);
  });
});
