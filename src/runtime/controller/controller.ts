import { randomUUID } from 'node:crypto';
import type { Clock, Timer } from '../clock.js';
import type { ExponentialBackoff } from '../concurrency/backoff.js';
import type { Logger } from '../logger.js';
import { WorkQueue, type WorkQueueObserver } from './work-queue.js';

/**
 * What a reconcile requests next (controller-runtime's contract).
 * `{}`: done, wait for the next event. `requeueAfter`: run again after that many milliseconds.
 * A thrown error: retry with the key's exponential backoff. A thrown {@link TerminalError}: counted, not
 * retried.
 */
export interface Result {
  /** Milliseconds until the key is reconciled again. */
  requeueAfter?: number;
}

/** An error that no retry can fix: it is logged and counted, and the key waits for its next event. */
export class TerminalError extends Error {
  override name = 'TerminalError';
}

/** What a reconcile receives besides its key. */
export interface ReconcileContext {
  /** Its fields include controller, key and reconcileID. */
  logger: Logger;
  /**
   * Aborts when the reconcile outlasts the graceful stop: it must be safe to stop at any step from then on.
   */
  signal: AbortSignal;
  reconcileID: string;
}

/**
 * Brings one key to its desired state. A reconcile receives only the key, and reads current state from the
 * stores.
 */
export interface Reconcile {
  // biome-ignore lint/suspicious/noConfusingVoidType: a pass that asks for nothing need not return
  reconcile(key: string, context: ReconcileContext): Promise<Result | void>;
}

/** How a pass ended. */
export type ReconcileOutcome = 'success' | 'error' | 'terminal_error' | 'requeue_after';

/** Observes controllers, for metrics. */
export interface ControllerObserver {
  /**
   * Called once per controller, before it starts; the view may be read at any time. The result observes its
   * queue.
   */
  controllerCreated(name: string, view: ControllerView): WorkQueueObserver | undefined;
  reconciled(name: string, outcome: ReconcileOutcome, seconds: number): void;
}

/** A controller's state, for metrics. */
export interface ControllerView {
  readonly maxConcurrentReconciles: number;
  /** Workers that process a key. */
  readonly activeWorkers: number;
  /** Keys that wait for a worker. */
  readonly depth: number;
  /** Keys in progress, and for how long, in milliseconds. */
  inProgress(): { key: string; forMs: number }[];
}

export interface ControllerOptions {
  name: string;
  reconciler: Reconcile;
  clock: Clock;
  logger: Logger;
  /** Keys processed in parallel. Default: 1. */
  concurrency?: number | undefined;
  /** Delays of failing keys. Default: the queue's. */
  backoff?: ExponentialBackoff | undefined;
  observer?: ControllerObserver | undefined;
  /** Default: a random UUID. */
  newReconcileID?: (() => string) | undefined;
}

/** Workers that process a queue of keys. */
export class Controller implements ControllerView {
  readonly name: string;
  readonly maxConcurrentReconciles: number;
  readonly queue: WorkQueue;
  private readonly logger: Logger;
  private readonly giveUp = new AbortController();
  private readonly passes = new Set<Promise<void>>();
  private onPassEnded: (() => void) | undefined;
  private workers: Promise<unknown> | undefined;

  private constructor(private readonly options: ControllerOptions) {
    this.name = options.name;
    this.maxConcurrentReconciles = options.concurrency ?? 1;
    this.logger = options.logger.child({ controller: options.name });
    this.queue = WorkQueue.create({
      clock: options.clock,
      backoff: options.backoff,
      observer: options.observer?.controllerCreated(options.name, this),
    });
  }

  static create(options: ControllerOptions): Controller {
    return new Controller(options);
  }

  get activeWorkers(): number {
    return this.queue.inProgress().length;
  }

  get depth(): number {
    return this.queue.depth;
  }

  inProgress(): { key: string; forMs: number }[] {
    return this.queue.inProgress();
  }

  /** Starts the workers; a second call has no effect. */
  start(): void {
    if (this.workers !== undefined) return;
    this.logger.info('Starting workers', { workers: this.maxConcurrentReconciles });
    this.workers = this.dispatch();
  }

  /**
   * Takes no more keys, and waits for the reconciles in progress.
   * @param graceMs the longest wait, in milliseconds
   * @returns the keys whose reconcile had not finished by then; their signals are aborted.
   */
  async stop(graceMs: number): Promise<string[]> {
    this.queue.shutDown();
    let timer: Timer | undefined;
    const outOfTime = new Promise<void>((resolve) => {
      timer = this.options.clock.after(graceMs, resolve);
    });
    await Promise.race([this.workers, outOfTime]);
    timer?.cancel();
    const unfinished = this.queue.inProgress().map(({ key }) => key);
    if (unfinished.length > 0) {
      this.logger.warn('Stopped with reconciles unfinished', { keys: unfinished });
      this.giveUp.abort(new Error('The graceful stop is over'));
    }
    return unfinished;
  }

  /** A worker is one reconcile in progress, so a high limit costs nothing while there is little to do. */
  private async dispatch(): Promise<void> {
    for (;;) {
      while (this.passes.size >= this.maxConcurrentReconciles) await this.endOfAPass();
      const key = await this.queue.get();
      if (key === undefined) break;
      this.begin(key);
    }
    await Promise.all(this.passes);
  }

  private begin(key: string): void {
    const pass = this.process(key).finally(() => {
      this.passes.delete(pass);
      this.queue.done(key);
      this.onPassEnded?.();
    });
    this.passes.add(pass);
  }

  private endOfAPass(): Promise<void> {
    return new Promise((resolve) => {
      this.onPassEnded = resolve;
    });
  }

  private async process(key: string): Promise<void> {
    const { clock, observer, newReconcileID = randomUUID } = this.options;
    const reconcileID = newReconcileID();
    const logger = this.logger.child({ key, reconcileID });
    const startedAt = clock.now();
    const outcome = await this.attempt(key, { logger, reconcileID, signal: this.giveUp.signal });
    observer?.reconciled(this.name, outcome, (clock.now() - startedAt) / 1_000);
  }

  /** Runs one reconcile, and requeues the key as its result requires. */
  private async attempt(key: string, context: ReconcileContext): Promise<ReconcileOutcome> {
    const startedAt = this.options.clock.now();
    try {
      const result = (await this.options.reconciler.reconcile(key, context)) ?? {};
      this.queue.forget(key);
      if (result.requeueAfter === undefined || !(result.requeueAfter > 0)) return 'success';
      this.queue.addAfter(key, result.requeueAfter);
      return 'requeue_after';
    } catch (error) {
      const terminal = error instanceof TerminalError;
      if (terminal) this.queue.forget(key);
      else this.queue.addRateLimited(key);
      context.logger.error(terminal ? 'Reconciler error; not retrying' : 'Reconciler error', {
        error,
        durationMs: this.options.clock.now() - startedAt,
      });
      return terminal ? 'terminal_error' : 'error';
    }
  }
}
