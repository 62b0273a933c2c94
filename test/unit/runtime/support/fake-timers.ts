import sinon, { type SinonFakeTimers } from 'sinon';

/** The start of fake time, in milliseconds since the epoch. */
export const START = Date.parse('2026-01-01T00:00:00Z');

/** Fakes the time that `systemClock` reads, for each test of the suite it is called in. */
export function useFakeTime(): { tick(ms: number): Promise<number> } {
  let timers: SinonFakeTimers;
  beforeEach(() => {
    timers = sinon.useFakeTimers({ now: START, toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  });
  afterEach(() => timers.restore());
  return { tick: (ms) => timers.tickAsync(ms) };
}
