import { expect } from 'chai';
import { Registry } from 'prom-client';
import {
  Controller,
  type Result,
  TerminalError,
} from '../../../../src/runtime/controller/controller.js';
import { ControllerMetrics } from '../../../../src/runtime/metrics/controller-metrics.js';
import { metricValue, parseMetrics } from '../../../support/prometheus-text.js';
import { RecordingLogger } from '../../../support/recording-logger.js';
import { VirtualTime } from '../support/virtual-time.js';

describe('ControllerMetrics', () => {
  let registry: Registry;
  let clock: VirtualTime;
  let controller: Controller;
  let work: (key: string) => Promise<Result>;

  beforeEach(() => {
    registry = new Registry();
    clock = new VirtualTime(0);
    work = async () => ({});
    controller = Controller.create({
      name: 'thing',
      reconciler: { reconcile: (key) => work(key) },
      concurrency: 2,
      clock,
      logger: new RecordingLogger(),
      observer: ControllerMetrics.create(registry),
    });
  });

  afterEach(() => controller.stop(0));

  async function read(name: string, labels: Record<string, string> = {}) {
    return metricValue(parseMetrics(await registry.metrics()), name, labels);
  }

  const results = async () =>
    Object.fromEntries(
      await Promise.all(
        ['success', 'requeue_after', 'error'].map(async (result) => [
          result,
          await read('controller_runtime_reconcile_total', { controller: 'thing', result }),
        ]),
      ),
    );

  it('has each counter at zero before anything happens, so that the first event is a rise', async () => {
    expect(await results()).to.deep.equal({ success: 0, requeue_after: 0, error: 0 });
    for (const name of [
      'controller_runtime_reconcile_errors_total',
      'controller_runtime_terminal_reconcile_errors_total',
      'controller_runtime_reconcile_time_seconds_count',
      'workqueue_adds_total',
      'workqueue_retries_total',
      'workqueue_queue_duration_seconds_count',
    ]) {
      expect(await read(name, { controller: 'thing' }), name).to.equal(0);
    }
  });

  it('counts passes as controller-runtime does: a terminal error is an error too', async () => {
    const ends: Record<string, () => Result> = {
      well: () => ({}),
      later: () => ({ requeueAfter: 3_600_000 }),
      badly: () => {
        throw new Error('no');
      },
      forGood: () => {
        throw new TerminalError('never');
      },
    };
    work = async (key) => ends[key]?.() ?? {};
    for (const key of Object.keys(ends)) controller.queue.add(key);
    controller.start();
    await clock.pass(0);
    expect(await results()).to.deep.equal({ success: 1, requeue_after: 1, error: 2 });
    expect(await read('controller_runtime_reconcile_errors_total')).to.equal(2);
    expect(await read('controller_runtime_terminal_reconcile_errors_total')).to.equal(1);
    expect(await read('controller_runtime_reconcile_time_seconds_count')).to.equal(4);
    expect(await read('workqueue_retries_total', { name: 'thing' })).to.equal(1);
    expect(await read('workqueue_adds_total', { name: 'thing' })).to.equal(4);
  });

  it('shows what is at work and what waits at the moment of the scrape', async () => {
    const release = Promise.withResolvers<Result>();
    work = () => release.promise;
    for (const key of ['a', 'b', 'c']) controller.queue.add(key);
    controller.start();
    await clock.pass(5_000);
    expect(await read('controller_runtime_max_concurrent_reconciles')).to.equal(2);
    expect(await read('controller_runtime_active_workers')).to.equal(2);
    expect(await read('workqueue_depth')).to.equal(1);
    expect(await read('workqueue_unfinished_work_seconds')).to.equal(10);
    expect(await read('workqueue_longest_running_processor_seconds')).to.equal(5);
    release.resolve({});
    await clock.pass(0);
    expect(await read('controller_runtime_active_workers')).to.equal(0);
    expect(await read('workqueue_depth')).to.equal(0);
    expect(await read('workqueue_work_duration_seconds_sum')).to.equal(10);
    expect(await read('workqueue_queue_duration_seconds_sum')).to.equal(5);
    expect(await read('controller_runtime_reconcile_time_seconds_sum')).to.equal(10);
  });

  it('has client-go’s buckets, from 10 ns to 1,000 s', async () => {
    const families = parseMetrics(await registry.metrics());
    const bounds = families
      .get('workqueue_queue_duration_seconds')
      ?.samples.flatMap(({ labels }) => labels.le ?? []);
    expect(bounds).to.have.length(13);
    expect([Number(bounds?.[0]), Number(bounds?.[11]), bounds?.[12]]).to.deep.equal([
      1e-8,
      1e3,
      '+Inf',
    ]);
  });
});
