import { expect } from 'chai';
import { systemClock as clock, repeat } from '../../../src/runtime/clock.js';
import { START, useFakeTime } from './support/fake-timers.js';

describe('repeat', () => {
  const time = useFakeTime();
  let signal: AbortSignal;
  let stop: () => void;
  let startedAt: number[];

  beforeEach(() => {
    const controller = new AbortController();
    signal = controller.signal;
    stop = () => controller.abort();
    startedAt = [];
  });

  function work(...pausesMs: number[]): () => Promise<number | undefined> {
    return async () => {
      startedAt.push(Date.now() - START);
      return pausesMs.shift();
    };
  }

  it('works at once, and again after each pause, until the work needs no other', async () => {
    const done = repeat({ clock, signal }, work(10, 20));
    await time.tick(100);
    await done;
    expect(startedAt).to.deep.equal([0, 10, 30]);
  });

  it('waits for the first time where it must', async () => {
    const done = repeat({ clock, signal, delayMs: 50 }, work(10));
    await time.tick(100);
    await done;
    expect(startedAt).to.deep.equal([50, 60]);
  });

  it('resolves when the signal aborts a pause', async () => {
    const done = repeat({ clock, signal }, work(10, 20));
    await time.tick(15);
    stop();
    await done;
    await time.tick(100);
    expect(startedAt).to.deep.equal([0, 10]);
  });

  it('does nothing after a delay that the signal ends', async () => {
    const done = repeat({ clock, signal, delayMs: 50 }, work(10));
    await time.tick(20);
    stop();
    await done;
    await time.tick(100);
    expect(startedAt).to.deep.equal([]);
  });
});
