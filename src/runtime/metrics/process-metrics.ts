import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, type Registry } from 'prom-client';

type LagHistogram = ReturnType<typeof monitorEventLoopDelay>;

export interface ProcessMetricsOptions {
  registry: Registry;
  /** Whether a timer watches the event loop's lag all the time. */
  eventLoopLag: boolean;
}

/**
 * Between two samples of the event loop, in milliseconds. prom-client's own 10 ms wakes an idle process a
 * hundred times per second, for 0.5 % of a core.
 */
const LAG_RESOLUTION_MS = 100;

/**
 * The process metrics that show its health, read at each scrape. prom-client's default metrics
 * (collectDefaultMetrics) are all or nothing, and cost an idle process 0.7 % of a core.
 */
export function registerProcessMetrics({ registry, eventLoopLag }: ProcessMetricsOptions): void {
  const registers = [registry];
  new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory of the process.',
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  new Gauge({
    name: 'nodejs_heap_size_used_bytes',
    help: 'Memory of JavaScript objects, garbage included.',
    registers,
    collect() {
      this.set(process.memoryUsage().heapUsed);
    },
  });
  new Gauge({
    name: 'process_start_time_seconds',
    help: 'Start time of the process, in seconds since the epoch.',
    registers,
    collect() {
      this.set(performance.timeOrigin / 1_000);
    },
  });
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'CPU time of the process, user and system.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  if (eventLoopLag) registerLag(registry);
}

function registerLag(registry: Registry): void {
  const delay = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  delay.enable();
  const registers = [registry];
  new Gauge({
    name: 'nodejs_eventloop_lag_p99_seconds',
    help: '99th percentile of the delay of timers since the last scrape.',
    registers,
    collect() {
      this.set(lagOf(delay, (histogram) => histogram.percentile(99)));
    },
  });
  new Gauge({
    name: 'nodejs_eventloop_lag_max_seconds',
    help: 'Maximum delay of a timer since the last scrape.',
    registers,
    // Collected last: the next scrape covers what follows.
    collect() {
      this.set(lagOf(delay, ({ max }) => max));
      delay.reset();
    },
  });
}

/** In seconds; the histogram's values, in nanoseconds, include the resolution itself. */
function lagOf(delay: LagHistogram, read: (delay: LagHistogram) => number): number {
  if (delay.count === 0) return 0;
  return Math.max(0, read(delay) / 1e9 - LAG_RESOLUTION_MS / 1_000);
}
