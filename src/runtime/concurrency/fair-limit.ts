import { FairQueue } from './fair-queue.js';

/** At most so many tasks at once; where tasks have to wait, owners take turns. */
export class FairLimit {
  private readonly waiting = new FairQueue<() => void>();
  private running = 0;

  constructor(private readonly concurrency: number) {}

  /** Runs the task when there is room. Settles as the task does. */
  async run<T>(owner: string, task: () => Promise<T>): Promise<T> {
    if (this.running >= this.concurrency) {
      await new Promise<void>((resolve) => this.waiting.add(owner, resolve));
    } else {
      this.running += 1;
    }
    try {
      return await task();
    } finally {
      const next = this.waiting.shift();
      // The place goes from hand to hand: nobody slips in between.
      if (next) next();
      else this.running -= 1;
    }
  }
}
