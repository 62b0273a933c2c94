import { setImmediate } from 'node:timers/promises';
import type { Clock, Timer } from '../../../../src/runtime/clock.js';

/** Time that passes when it is told to, and costs next to nothing: for tests of many hours. */
export class VirtualTime implements Clock {
  private readonly timers = new Set<{ due: number; callback: () => void }>();

  constructor(private time: number) {}

  now(): number {
    return this.time;
  }

  after(ms: number, callback: () => void): Timer {
    const timer = { due: this.time + ms, callback };
    this.timers.add(timer);
    return { cancel: () => this.timers.delete(timer) };
  }

  /** Lets `ms` milliseconds pass; what becomes due in them happens in order, and all that follows from it. */
  async pass(ms: number): Promise<void> {
    const end = this.time + ms;
    await setImmediate();
    for (let next = this.nextUntil(end); next; next = this.nextUntil(end)) {
      this.timers.delete(next);
      this.time = Math.max(this.time, next.due);
      next.callback();
      await setImmediate();
    }
    this.time = end;
  }

  private nextUntil(end: number): { due: number; callback: () => void } | undefined {
    const due = [...this.timers].filter((timer) => timer.due <= end);
    return due.toSorted((a, b) => a.due - b.due)[0];
  }
}
