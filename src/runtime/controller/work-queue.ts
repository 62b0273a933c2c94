import Queue from 'yocto-queue';
import type { Clock } from '../clock.js';
import { ExponentialBackoff } from '../concurrency/backoff.js';
import { DelayedKeys } from './delayed-keys.js';

/** Observes a queue, for the `workqueue_…` metrics. Times are in seconds. */
export interface WorkQueueObserver {
  /** A key became ready (`workqueue_adds_total`). */
  added(): void;
  /** A key was delayed by its backoff (`workqueue_retries_total`). */
  retried(): void;
  /** A worker received a key that had been ready for that long (`workqueue_queue_duration_seconds`). */
  started(waitedSeconds: number): void;
  /** A worker finished a key after that long (`workqueue_work_duration_seconds`). */
  finished(workedSeconds: number): void;
}

export interface WorkQueueOptions {
  clock: Clock;
  /** Delays of failing keys. Default: 5 ms × 2ⁿ up to 1,000 s (client-go's). */
  backoff?: ExponentialBackoff | undefined;
  observer?: WorkQueueObserver | undefined;
}

/**
 * client-go's work queue: first in, first out; a key is queued at most once, and processed by one worker at a
 * time. A key added while a worker processes it is queued again when that worker is done.
 */
export class WorkQueue {
  /** Keys that need work: queued in `ready`, or to be queued by `done`. Maps to when they were added. */
  private readonly dirty = new Map<string, number>();
  /** Keys in progress. Maps to when their worker got them. */
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

  /** Keys in progress, and for how long, in milliseconds. */
  inProgress(): { key: string; forMs: number }[] {
    const now = this.options.clock.now();
    return [...this.processing].map(([key, since]) => ({ key, forMs: now - since }));
  }

  /** Makes `key` ready now, and cancels a pending delay. */
  add(key: string): void {
    if (this.stopped) return;
    this.delayed.delete(key);
    if (this.dirty.has(key)) return;
    this.dirty.set(key, this.options.clock.now());
    this.options.observer?.added();
    if (!this.processing.has(key)) this.enqueue(key);
  }

  /** Makes `key` ready in `ms` milliseconds; the earliest of several such times applies. */
  addAfter(key: string, ms: number): void {
    if (this.stopped) return;
    if (ms <= 0) this.add(key);
    else this.delayed.add(key, ms);
  }

  /** Makes `key` ready after its backoff, and counts the failure. */
  addRateLimited(key: string): void {
    if (this.stopped) return;
    this.options.observer?.retried();
    this.addAfter(key, this.backoff.next(key));
  }

  /** Resets the key's backoff to the shortest delay. */
  forget(key: string): void {
    this.backoff.forget(key);
  }

  /** Failures of the key since it was last forgotten. */
  numRequeues(key: string): number {
    return this.backoff.attempts(key);
  }

  /**
   * The next key, once there is one; the caller calls {@link done} for it. Undefined once the queue is shut
   * down, even if keys wait: the next start finds them again.
   */
  get(): Promise<string | undefined> {
    if (this.stopped) return Promise.resolve(undefined);
    const key = this.paused ? undefined : this.ready.dequeue();
    if (key === undefined) return new Promise((resolve) => this.idle.enqueue(resolve));
    this.take(key);
    return Promise.resolve(key);
  }

  /** Ends the work on `key`, successful or not. */
  done(key: string): void {
    const since = this.processing.get(key);
    if (since === undefined) return;
    this.processing.delete(key);
    this.options.observer?.finished((this.options.clock.now() - since) / 1_000);
    if (this.dirty.has(key) && !this.stopped) this.enqueue(key);
  }

  /** Hands out no keys until {@link resume}; added keys wait. */
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

  /** Stops handing out and accepting keys. */
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
