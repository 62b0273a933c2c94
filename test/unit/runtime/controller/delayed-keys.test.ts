import { expect } from 'chai';
import fc from 'fast-check';
import type { Clock, Timer } from '../../../../src/runtime/clock.js';
import { DelayedKeys } from '../../../../src/runtime/controller/delayed-keys.js';

/** Holds at most one timer, which is what is claimed of DelayedKeys. */
class OneTimerClock implements Clock {
  private time = 0;
  private armed: { at: number; callback: () => void } | undefined;

  now(): number {
    return this.time;
  }

  after(ms: number, callback: () => void): Timer {
    if (this.armed !== undefined) throw new Error('A second timer');
    const armed = { at: this.time + ms, callback };
    this.armed = armed;
    return {
      cancel: () => {
        if (this.armed === armed) this.armed = undefined;
      },
    };
  }

  advance(ms: number): void {
    const end = this.time + ms;
    while (this.armed !== undefined && this.armed.at <= end) {
      const { at, callback } = this.armed;
      this.armed = undefined;
      this.time = at;
      callback();
    }
    this.time = end;
  }
}

const steps = fc.array(
  fc.record({
    key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    ms: fc.integer({ min: 1, max: 50 }),
    remove: fc.boolean(),
    advance: fc.integer({ min: 0, max: 10 }),
  }),
  { maxLength: 300 },
);

describe('DelayedKeys', () => {
  it('releases each key at its earliest time, as a plain map of times would', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const clock = new OneTimerClock();
        const released: string[] = [];
        const keys = new DelayedKeys(clock, (key) => released.push(`${key}@${clock.now()}`));
        const model = new Map<string, number>();
        const expected: string[] = [];

        for (const { key, ms, remove, advance } of all) {
          if (remove) {
            keys.delete(key);
            model.delete(key);
          } else {
            keys.add(key, ms);
            model.set(key, Math.min(model.get(key) ?? Number.POSITIVE_INFINITY, clock.now() + ms));
          }
          const until = clock.now() + advance;
          clock.advance(advance);
          for (const [due, at] of model) {
            if (at > until) continue;
            expected.push(`${due}@${at}`);
            model.delete(due);
          }
        }
        expect(released.toSorted()).to.deep.equal(expected.toSorted());
        expect(keys.size).to.equal(model.size);
      }),
    );
  });

  it('releases keys of the same time in the order of their adds', () => {
    const clock = new OneTimerClock();
    const released: string[] = [];
    const keys = new DelayedKeys(clock, (key) => released.push(key));
    for (const key of ['c', 'a', 'b']) keys.add(key, 10);
    clock.advance(10);
    expect(released).to.deep.equal(['c', 'a', 'b']);
  });

  it('releases nothing after it was cleared', () => {
    const clock = new OneTimerClock();
    const released: string[] = [];
    const keys = new DelayedKeys(clock, (key) => released.push(key));
    keys.add('a', 10);
    keys.clear();
    clock.advance(100);
    expect(released).to.deep.equal([]);
    keys.add('b', 10);
    clock.advance(10);
    expect(released).to.deep.equal(['b']);
  });
});
