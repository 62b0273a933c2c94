import k8sOperator from '@dot-i/k8s-operator';
import { type Clock, systemClock } from '../runtime/clock.js';
import type { ExponentialBackoff } from '../runtime/concurrency/backoff.js';
import { Controller, type ControllerObserver } from '../runtime/controller/controller.js';
import type { SourceClass, SourceObject } from '../runtime/controller/decorators.js';
import {
  checkTogether,
  DeclarationError,
  type ReconcilerDeclaration,
  readReconciler,
} from '../runtime/controller/read-reconciler.js';
import type { EventSource } from '../runtime/controller/source.js';
import { connect } from '../runtime/controller/wiring.js';
import { untilAnswered } from '../runtime/kube/until-answered.js';
import { describeError, type Logger } from '../runtime/logger.js';
import { HealthChecks } from '../runtime/serving/health-checks.js';

// The package is CommonJS with an `exports.default`.
const BaseOperator = k8sOperator.default;

export interface OperatorOptions {
  logger: Logger;
  clock?: Clock;
  /** At least 0, below 1. */
  random?: () => number;
  /**
   * How long a stop waits for reconciles in progress, in milliseconds. Default: 30,000
   * (controller-runtime's).
   */
  gracefulStopMs?: number;
  observer?: ControllerObserver;
}

/** Overrides for one registered reconciler. */
export interface ReconcilerOverrides {
  concurrency?: number | undefined;
  /** Delays of failing keys. Default: the work queue's. */
  backoff?: ExponentialBackoff | undefined;
}

type Registered = ReconcilerDeclaration & ReconcilerOverrides;

/**
 * The base of the operators: {@link init} registers sources and reconcilers; `start` reads the decorators,
 * connects sources → queues → workers and starts them; `stop` ends them gracefully.
 *
 * It keeps the parent's life cycle and logger, and replaces the rest. It never uses the parent's kubeconfig and typed
 * client `k8sApi`; a {@link KubeAccess} reaches the API server.
 * - `watchResource` sends no resourceVersion (each reconnect replays everything) and exits the process on
 *   an error: informers.
 * - its one event queue handles one event at a time and ignores what a handler throws: work queues.
 * - `setResourceStatus`, `patchResourceStatus` and the finalizer methods swallow errors: `ResourceClient`
 *   and `finalizers.ts`.
 * - `stop` aborts watches, which the watch then reports as an error: `stop` here waits.
 */
export abstract class Operator extends BaseOperator {
  declare protected logger: Logger;
  protected readonly clock: Clock;
  protected readonly random: () => number;
  private readonly gracefulStopMs: number;
  private readonly observer: ControllerObserver | undefined;
  private readonly sources = new Map<SourceClass, EventSource<unknown>>();
  /** Sources that start after {@link activate}. */
  private readonly lateSources = new Set<EventSource<unknown>>();
  private readonly reconcilers: { instance: object; overrides: ReconcilerOverrides }[] = [];
  private readonly synced = new Set<EventSource<unknown>>();
  /** Whether all sources are registered. */
  private initialised = false;
  /** The read of the API server that the start waits for, if any. */
  private awaitedAnswer: string | undefined;
  private readonly stopping = new AbortController();
  private controllers: Controller[] = [];
  private stopped: Promise<void> | undefined;
  private readonly failure = Promise.withResolvers<never>();
  /** Whether a restart would help: `/healthz`. */
  protected readonly liveness = HealthChecks.create('healthz');
  /** Whether it works, or could take over immediately: `/readyz`. */
  protected readonly readiness = HealthChecks.create('readyz');

  /** Rejects with the reason when the operator cannot continue: the process must exit without a graceful stop. */
  readonly failed: Promise<never> = this.failure.promise;

  constructor(options: OperatorOptions) {
    super(options.logger);
    this.clock = options.clock ?? systemClock;
    this.random = options.random ?? Math.random;
    this.gracefulStopMs = options.gracefulStopMs ?? 30_000;
    this.observer = options.observer;
    // Avoid an unhandled rejection when nothing awaits `failed`.
    this.failed.catch(() => undefined);
    this.liveness.add('sources', () => this.sourceFault());
    this.readiness.add('sources', () => this.sourcesAwaited());
    this.readiness.add('shutdown', () => (this.stopped ? 'the process is stopping' : undefined));
  }

  /** Registers sources and reconcilers, by {@link addSource} and {@link addReconciler}. */
  protected abstract override init(): Promise<void>;

  /**
   * Late sources and workers start after this resolves; a subclass waits here, for example for a Lease. It is called
   * once all other sources have an answer, while they may still be listing.
   */
  protected async activate(_signal: AbortSignal): Promise<void> {}

  /** Called once all but the late sources have synced, active or not. */
  protected sourcesSynced(_signal: AbortSignal): void {}

  /** Called when active, once all but the late sources have synced; workers start after it resolves. */
  protected async beforeWorkers(_signal: AbortSignal): Promise<void> {}

  /**
   * The counterpart of {@link activate}, at a graceful stop.
   * @param unfinished keys whose reconcile did not end within the time of the graceful stop.
   */
  protected async afterWorkers(_unfinished: readonly string[]): Promise<void> {}

  /** Starts no reconcile until {@link resume}; those in progress continue, and events are kept. */
  protected pause(): void {
    for (const { queue } of this.controllers) queue.pause();
  }

  protected resume(): void {
    for (const { queue } of this.controllers) queue.resume();
  }

  /** Takes no more keys, and rejects {@link failed}. */
  protected fail(reason: Error): void {
    for (const { queue } of this.controllers) queue.shutDown();
    this.failure.reject(reason);
  }

  /**
   * Resolves when all workers run, after all sources have synced. If {@link stop} is called first, it
   * resolves with nothing running.
   * @throws DeclarationError for decorators that contradict each other or the sources; errors of {@link init}
   * and of sources.
   */
  override async start(): Promise<void> {
    try {
      await this.init();
    } catch (error) {
      if (this.stopping.signal.aborted) return;
      throw error;
    }
    this.initialised = true;
    const declarations = this.readDeclarations();
    this.controllers = declarations.map((declaration) => this.connected(declaration));
    const { signal } = this.stopping;
    try {
      const sources = [...this.sources.values()];
      const isLate = (source: EventSource<unknown>) => this.lateSources.has(source);
      await this.startAll(
        sources.filter((source) => !isLate(source)),
        sources.filter(isLate),
      );
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    if (signal.aborted) return;
    for (const controller of this.controllers) controller.start();
  }

  /**
   * Takes no more keys, waits for the reconciles in progress (up to the time of the graceful stop), then stops the
   * sources, so that stores stay current as long as they are read. A second call waits for the first.
   */
  override stop(): Promise<void> {
    this.stopped ??= this.stopAll();
    return this.stopped;
  }

  /**
   * Registers the source that `@Watch(token)` and `@Reconciler({ for: token })` refer to.
   * @param options.late whether it starts after {@link activate}, so that its data is no older than
   * that.
   */
  protected addSource<S>(
    token: SourceClass<S>,
    source: EventSource<SourceObject<S>>,
    options: { late?: boolean } = {},
  ): void {
    if (this.sources.has(token)) {
      throw new DeclarationError(token.name, 'a source is registered for it already');
    }
    this.sources.set(token, source as EventSource<unknown>);
    if (options.late) this.lateSources.add(source as EventSource<unknown>);
  }

  /** Registers an instance of a class with `@Reconciler`. */
  protected addReconciler(instance: object, overrides: ReconcilerOverrides = {}): void {
    this.reconcilers.push({ instance, overrides });
  }

  /**
   * Resolves with the result of `read`, however long the API server is unavailable; `/readyz` then reports
   * what it waits for.
   * @throws the reason of a stop; errors of `read` that waiting does not fix
   */
  protected async fromApiServer<T>(read: () => Promise<T>): Promise<T> {
    const { clock, random, logger } = this;
    const { signal } = this.stopping;
    try {
      return await untilAnswered(read, {
        clock,
        random,
        logger,
        signal,
        onFailure: (error) => {
          this.awaitedAnswer = describeError(error);
        },
      });
    } finally {
      this.awaitedAnswer = undefined;
    }
  }

  /** Late sources start while the others list: neither waits for the other. */
  private async startAll(
    early: readonly EventSource<unknown>[],
    late: readonly EventSource<unknown>[],
  ): Promise<void> {
    const { signal } = this.stopping;
    const starts = early.map((source) => this.startSource(source));
    const synced = this.allSynced(starts).then(() => this.sourcesSynced(signal));
    // It is awaited below, and can fail before that.
    synced.catch(() => undefined);
    await Promise.all(
      early.map((source, index) =>
        Promise.race([source.answered?.() ?? starts[index], starts[index]]),
      ),
    );
    const activated = this.activate(signal);
    await Promise.all([
      activated.then(() => this.allSynced(late.map((source) => this.startSource(source)))),
      Promise.all([synced, activated]).then(() => this.beforeWorkers(signal)),
    ]);
  }

  private async allSynced(starts: readonly Promise<void>[]): Promise<void> {
    if (starts.length === 0) return;
    await Promise.all(starts);
    this.logger.info('All sources have synced', { sources: starts.length });
  }

  private async startSource(source: EventSource<unknown>): Promise<void> {
    await source.start(this.stopping.signal);
    this.synced.add(source);
  }

  private sourceFault(): string | undefined {
    for (const source of this.sources.values()) {
      const fault = source.fault?.();
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  /** Late sources wait for {@link activate}; they have their own check. */
  private sourcesAwaited(): string | undefined {
    if (this.awaitedAnswer !== undefined)
      return `waiting for the API server: ${this.awaitedAnswer}`;
    if (!this.initialised) return 'the process is starting';
    const names = [...this.sources]
      .filter(([, source]) => !this.synced.has(source) && !this.lateSources.has(source))
      .map(([token]) => token.name);
    const refusals = [...this.sources.values()].flatMap((source) => source.refusal?.() ?? []);
    const awaited = names.length > 0 ? [`not synced yet: ${names.join(', ')}`] : [];
    return [...awaited, ...refusals].join('; ') || undefined;
  }

  private readDeclarations(): Registered[] {
    const declarations = this.reconcilers.map(({ instance, overrides }) => {
      const declaration = readReconciler(instance);
      const { concurrency = declaration.concurrency, backoff } = overrides;
      return { ...declaration, concurrency, backoff };
    });
    checkTogether(declarations, new Set(this.sources.keys()));
    return declarations;
  }

  private connected({ watches, ...declaration }: Registered): Controller {
    const { clock, logger, observer } = this;
    const { name, reconciler, concurrency, backoff } = declaration;
    const controller = Controller.create({
      name,
      reconciler,
      concurrency,
      backoff,
      clock,
      logger,
      observer,
    });
    for (const watch of watches) {
      const source = this.sources.get(watch.source);
      if (source === undefined) throw new DeclarationError(watch.declaredBy, 'has no source');
      connect({
        source,
        watch,
        queue: controller.queue,
        logger: logger.child({ controller: name }),
      });
    }
    return controller;
  }

  private async stopAll(): Promise<void> {
    this.logger.info('Stopping', { controllers: this.controllers.length });
    const unfinished = await Promise.all(
      this.controllers.map((controller) => controller.stop(this.gracefulStopMs)),
    );
    await this.afterWorkers(unfinished.flat());
    this.stopping.abort(new Error('The operator is stopping'));
  }
}
