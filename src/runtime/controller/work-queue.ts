import Queue from 'yocto-queue';
import type { Clock } from '../clock.js';
import { ExponentialBackoff } from '../concurrency/backoff.js';
import { DelayedKeys } from './delayed-keys.js';

/** Hears what a queue does, for the `workqueue_…` metrics. Times are in seconds. */
export interface WorkQueueObserver {
  /** A key became ready (`workqueue_adds_total`). */
  added(): void;
  /** A key was put off by its backoff (`workqueue_retries_total`). */
  retried(): void;
  /** A key was handed to a worker after it had been ready that long (`workqueue_queue_duration_seconds`). */
  started(waitedSeconds: number): void;
  /** A worker was done with a key after that long (`workqueue_work_duration_seconds`). */
  finished(workedSeconds: number): void;
}

export interface WorkQueueOptions {
  clock: Clock;
  /** Delays of keys that fail. Default: 5 ms × 2ⁿ up to 1,000 s (client-go's). */
  backoff?: ExponentialBackoff | undefined;
  observer?: WorkQueueObserver | undefined;
}

/**
 * client-go's work queue: first in, first out; a key waits at most once, and is worked on by one worker at
 * a time. A key that is added while it is worked on waits again once that worker is done.
 */
export class WorkQueue {
  /** Keys that need work: waiting in `ready`, or to be put there by `done`. Maps to when they were added. */
  private readonly dirty = new Map<string, number>();
  /** Keys that a worker has. Maps to when it got them. */
  private readonly processing = new Map<string, number>();
  private readonly ready = new Queue<string>();
  private readonly idle = new Queue<(key: string | undefined) => void>();
  private readonly delayed: DelayedKeys;
  private readonly backoff: ExponentialBackoff;
  private stopped = false;
  private paused = false;

  private constructor(private readonly options: WorkQueueOptions) {
    this.backoff = options.backoff ?? ExponentialBackoff.create({ baseMs: 5, maxMs: 1_000_000 });
    this.delayed = new DelayedKeys(options.clock, (key) => this.add(key));
  }

  static create(options: WorkQueueOptions): WorkQueue {
    return new WorkQueue(options);
  }

  /** Keys that wait for a worker. */
  get depth(): number {
    return this.ready.size;
  }

  /** Keys that workers have, and for how long, in milliseconds. */
  inProgress(): { key: string; forMs: number }[] {
    const now = this.options.clock.now();
    return [...this.processing].map(([key, since]) => ({ key, forMs: now - since }));
  }

  /** Readies `key` now; a delay that it was waiting for is over. */
  add(key: string): void {
    if (this.stopped) return;
    this.delayed.delete(key);
    if (this.dirty.has(key)) return;
    this.dirty.set(key, this.options.clock.now());
    this.options.observer?.added();
    if (!this.processing.has(key)) this.enqueue(key);
  }

  /** Readies `key` in `ms` milliseconds; of several such times the earliest counts. */
  addAfter(key: string, ms: number): void {
    if (this.stopped) return;
    if (ms <= 0) this.add(key);
    else this.delayed.add(key, ms);
  }

  /** Readies `key` after its backoff, and counts the failure. */
  addRateLimited(key: string): void {
    if (this.stopped) return;
    this.options.observer?.retried();
    this.addAfter(key, this.backoff.next(key));
  }

  /** The key's next backoff is the shortest again. */
  forget(key: string): void {
    this.backoff.forget(key);
  }

  /** Failures of the key since it was last forgotten. */
  numRequeues(key: string): number {
    return this.backoff.attempts(key);
  }

  /**
   * The next key, when there is one; the caller calls {@link done} for it. Undefined once the queue is shut
   * down, whatever still waits: all of it is found again at the next start.
   */
  get(): Promise<string | undefined> {
    if (this.stopped) return Promise.resolve(undefined);
    const key = this.paused ? undefined : this.ready.dequeue();
    if (key === undefined) return new Promise((resolve) => this.idle.enqueue(resolve));
    this.take(key);
    return Promise.resolve(key);
  }

  /** Work on `key` has ended, well or not. */
  done(key: string): void {
    const since = this.processing.get(key);
    if (since === undefined) return;
    this.processing.delete(key);
    this.options.observer?.finished((this.options.clock.now() - since) / 1_000);
    if (this.dirty.has(key) && !this.stopped) this.enqueue(key);
  }

  /** Hands out no keys until {@link resume}; keys that are added wait. */
  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    while (this.ready.size > 0 && this.idle.size > 0) {
      const key = this.ready.dequeue();
      if (key !== undefined) this.enqueue(key);
    }
  }

  /** Hands out no more keys and takes none. */
  shutDown(): void {
    this.stopped = true;
    this.delayed.clear();
    for (let waiter = this.idle.dequeue(); waiter; waiter = this.idle.dequeue()) waiter(undefined);
  }

  private enqueue(key: string): void {
    const waiter = this.paused ? undefined : this.idle.dequeue();
    if (waiter === undefined) {
      this.ready.enqueue(key);
      return;
    }
    this.take(key);
    waiter(key);
  }

  private take(key: string): void {
    const now = this.options.clock.now();
    const addedAt = this.dirty.get(key) ?? now;
    this.dirty.delete(key);
    this.processing.set(key, now);
    this.options.observer?.started((now - addedAt) / 1_000);
  }
}
