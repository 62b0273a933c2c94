import sinon, { type SinonFakeTimers } from 'sinon';

/** The start of fake time, in milliseconds since the epoch. */
export const START = Date.parse('2026-01-01T00:00:00Z');

export interface FakeTime {
  /** Lets `ms` milliseconds pass, and all that becomes due in them happen. */
  tick(ms: number): Promise<number>;
}

/**
 * Fakes the time that `systemClock` reads, for each test of the suite it is called in.
 * @param atEnd ends what a test has started, while time is still fake.
 */
export function useFakeTime(atEnd?: (time: FakeTime) => Promise<void>): FakeTime {
  let timers: SinonFakeTimers;
  const time: FakeTime = { tick: (ms) => timers.tickAsync(ms) };
  beforeEach(() => {
    timers = sinon.useFakeTimers({ now: START, toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  });
  afterEach(async () => {
    await atEnd?.(time);
    timers.restore();
  });
  return time;
}
