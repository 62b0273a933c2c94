import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { WorkQueueObserver } from '../controller/work-queue.js';

/** A queue's state, read at each scrape. */
export interface QueueView {
  readonly depth: number;
  inProgress(): { forMs: number }[];
}

const LABELS = ['name', 'controller'] as const;
type QueueLabel = (typeof LABELS)[number];

/** 10 ns × 10ⁿ up to 1,000 s (controller-runtime, pkg/internal/metrics/workqueue.go). */
const BUCKETS = Array.from({ length: 12 }, (_, power) => Number(`1e${power - 8}`));

/** client-go's `workqueue_…`, one queue per controller, with the controller's name. */
export class WorkQueueMetrics {
  private readonly views = new Map<string, QueueView>();
  private readonly adds: Counter<QueueLabel>;
  private readonly retries: Counter<QueueLabel>;
  private readonly waited: Histogram<QueueLabel>;
  private readonly worked: Histogram<QueueLabel>;

  private constructor(registry: Registry) {
    const labelNames = LABELS;
    const registers = [registry];
    const common = { labelNames, registers };
    this.adds = new Counter({
      ...common,
      name: 'workqueue_adds_total',
      help: 'Keys that became ready for a worker.',
    });
    this.retries = new Counter({
      ...common,
      name: 'workqueue_retries_total',
      help: 'Keys delayed by their backoff after an error.',
    });
    this.waited = new Histogram({
      ...common,
      name: 'workqueue_queue_duration_seconds',
      help: 'How long a key waited for a worker.',
      buckets: BUCKETS,
    });
    this.worked = new Histogram({
      ...common,
      name: 'workqueue_work_duration_seconds',
      help: 'How long a worker processed a key.',
      buckets: BUCKETS,
    });
    this.gauge(registry, 'workqueue_depth', 'Keys that wait for a worker.', ({ depth }) => depth);
    this.gauge(
      registry,
      'workqueue_unfinished_work_seconds',
      'Sum of the time that workers have spent on their current keys.',
      (view) => seconds(view.inProgress().reduce((sum, { forMs }) => sum + forMs, 0)),
    );
    this.gauge(
      registry,
      'workqueue_longest_running_processor_seconds',
      'How long the slowest worker has processed its current key.',
      (view) => seconds(view.inProgress().reduce((most, { forMs }) => Math.max(most, forMs), 0)),
    );
  }

  static create(registry: Registry): WorkQueueMetrics {
    return new WorkQueueMetrics(registry);
  }

  /** Measures the queue of the controller `name` from now on. */
  observe(name: string, view: QueueView): WorkQueueObserver {
    this.views.set(name, view);
    const labels = labelsOf(name);
    const adds = this.adds.labels(labels);
    const retries = this.retries.labels(labels);
    const waited = this.waited.labels(labels);
    const worked = this.worked.labels(labels);
    adds.inc(0);
    retries.inc(0);
    this.waited.zero(labels);
    this.worked.zero(labels);
    return {
      added: () => adds.inc(),
      retried: () => retries.inc(),
      started: (waitedSeconds) => waited.observe(waitedSeconds),
      finished: (workedSeconds) => worked.observe(workedSeconds),
    };
  }

  /** A gauge that reads the queues at each scrape. */
  private gauge(
    registry: Registry,
    name: string,
    help: string,
    read: (view: QueueView) => number,
  ): void {
    const { views } = this;
    new Gauge({
      name,
      help,
      labelNames: LABELS,
      registers: [registry],
      collect() {
        for (const [controller, view] of views) this.set(labelsOf(controller), read(view));
      },
    });
  }
}

function labelsOf(controller: string): Record<QueueLabel, string> {
  return { name: controller, controller };
}

function seconds(ms: number): number {
  return ms / 1_000;
}
