import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type {
  ControllerObserver,
  ControllerView,
  ReconcileOutcome,
} from '../controller/controller.js';
import type { WorkQueueObserver } from '../controller/work-queue.js';
import { WorkQueueMetrics } from './work-queue-metrics.js';

/** controller-runtime's label for each outcome; it counts terminal errors separately too. */
const RESULTS: Record<ReconcileOutcome, string> = {
  success: 'success',
  requeue_after: 'requeue_after',
  error: 'error',
  terminal_error: 'error',
};

/** Seconds (controller-runtime, pkg/internal/controller/metrics). */
const BUCKETS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1,
  1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];

/** controller-runtime's `controller_runtime_…`, and the `workqueue_…` of each controller's queue. */
export class ControllerMetrics implements ControllerObserver {
  private readonly views = new Map<string, ControllerView>();
  private readonly queues: WorkQueueMetrics;
  private readonly results: Counter<'controller' | 'result'>;
  private readonly errors: Counter<'controller'>;
  private readonly terminalErrors: Counter<'controller'>;
  private readonly times: Histogram<'controller'>;

  private constructor(registry: Registry) {
    this.queues = WorkQueueMetrics.create(registry);
    const registers = [registry];
    this.results = new Counter({
      name: 'controller_runtime_reconcile_total',
      help: 'Reconciles by result: success, requeue_after or error.',
      labelNames: ['controller', 'result'],
      registers,
    });
    const common = { labelNames: ['controller'] as const, registers };
    this.errors = new Counter({
      ...common,
      name: 'controller_runtime_reconcile_errors_total',
      help: 'Reconciles that failed, terminal errors included.',
    });
    this.terminalErrors = new Counter({
      ...common,
      name: 'controller_runtime_terminal_reconcile_errors_total',
      help: 'Reconciles that failed with an error that is not retried.',
    });
    this.times = new Histogram({
      ...common,
      name: 'controller_runtime_reconcile_time_seconds',
      help: 'Duration of a reconcile.',
      buckets: BUCKETS,
    });
    this.gauge(
      registry,
      'controller_runtime_max_concurrent_reconciles',
      'Maximum number of keys that workers process in parallel.',
      (view) => view.maxConcurrentReconciles,
    );
    this.gauge(
      registry,
      'controller_runtime_active_workers',
      'Keys that workers process now.',
      (view) => view.activeWorkers,
    );
  }

  static create(registry: Registry): ControllerMetrics {
    return new ControllerMetrics(registry);
  }

  controllerCreated(name: string, view: ControllerView): WorkQueueObserver {
    this.views.set(name, view);
    const labels = { controller: name };
    for (const result of Object.values(RESULTS)) this.results.inc({ ...labels, result }, 0);
    this.errors.inc(labels, 0);
    this.terminalErrors.inc(labels, 0);
    this.times.zero(labels);
    return this.queues.observe(name, view);
  }

  reconciled(name: string, outcome: ReconcileOutcome, seconds: number): void {
    const labels = { controller: name };
    const result = RESULTS[outcome];
    this.results.inc({ ...labels, result });
    this.times.observe(labels, seconds);
    if (result === 'error') this.errors.inc(labels);
    if (outcome === 'terminal_error') this.terminalErrors.inc(labels);
  }

  private gauge(
    registry: Registry,
    name: string,
    help: string,
    read: (view: ControllerView) => number,
  ): void {
    const { views } = this;
    new Gauge({
      name,
      help,
      labelNames: ['controller'],
      registers: [registry],
      collect() {
        for (const [controller, view] of views) this.set({ controller }, read(view));
      },
    });
  }
}
