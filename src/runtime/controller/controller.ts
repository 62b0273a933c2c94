import { randomUUID } from 'node:crypto';
import type { Clock, Timer } from '../clock.js';
import type { ExponentialBackoff } from '../concurrency/backoff.js';
import type { Logger } from '../logger.js';
import { WorkQueue, type WorkQueueObserver } from './work-queue.js';

/**
 * What a reconcile asks for next (controller-runtime's contract).
 * `{}`: done, wait for the next event. `requeueAfter`: again after that many milliseconds.
 * A thrown error: again with the key's exponential backoff. A thrown {@link TerminalError}: counted,
 * not retried.
 */
export interface Result {
  /** Milliseconds until the key is reconciled again. */
  requeueAfter?: number;
}

/** An error that no retry can cure: it is logged and counted, and the key waits for its next event. */
export class TerminalError extends Error {
  override name = 'TerminalError';
}

/** What a pass knows beside its key. */
export interface ReconcileContext {
  /** Has controller, key and reconcileID in its fields. */
  logger: Logger;
  /** Aborts when the pass has outlived the graceful stop: then each step must be safe to leave. */
  signal: AbortSignal;
  reconcileID: string;
}

/** Makes one key's world as it should be. A pass gets the key alone: what is true is read from the stores. */
export interface Reconcile {
  // biome-ignore lint/suspicious/noConfusingVoidType: a pass that asks for nothing need not return
  reconcile(key: string, context: ReconcileContext): Promise<Result | void>;
}

/** How a pass ended. */
export type ReconcileOutcome = 'success' | 'error' | 'terminal_error' | 'requeue_after';

/** Hears what controllers do, for metrics. */
export interface ControllerObserver {
  /** Once a controller, before it starts; the view may be read at any time. Hears of the queue from then on. */
  controllerCreated(name: string, view: ControllerView): WorkQueueObserver | undefined;
  reconciled(name: string, outcome: ReconcileOutcome, seconds: number): void;
}

/** What a controller shows of itself. */
export interface ControllerView {
  readonly maxConcurrentReconciles: number;
  /** Workers that have a key. */
  readonly activeWorkers: number;
  /** Keys that wait for a worker. */
  readonly depth: number;
  /** Keys that workers have, and for how long, in milliseconds. */
  inProgress(): { key: string; forMs: number }[];
}

export interface ControllerOptions {
  name: string;
  reconciler: Reconcile;
  clock: Clock;
  logger: Logger;
  /** Keys worked on at once. Default: 1. */
  concurrency?: number | undefined;
  /** Delays of keys that fail. Default: the queue's. */
  backoff?: ExponentialBackoff | undefined;
  observer?: ControllerObserver | undefined;
  /** Default: a random UUID. */
  newReconcileID?: (() => string) | undefined;
}

/** Workers over a queue of keys. */
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

  /** Sets the workers to work; a second call changes nothing. */
  start(): void {
    if (this.workers !== undefined) return;
    this.logger.info('Starting workers', { workers: this.maxConcurrentReconciles });
    this.workers = this.dispatch();
  }

  /**
   * Takes no more keys, and waits for the passes under way.
   * @param graceMs after so many milliseconds it waits no longer.
   * @returns the keys whose pass had not ended by then; their signal is aborted.
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

  /** A worker is a pass under way: a large number of them costs nothing while there is little to do. */
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

  /** One pass, and what its end means for the key. */
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
