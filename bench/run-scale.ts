import { type Clock, sleep, systemClock } from '../src/runtime/clock.js';
import { orAborted } from '../tools/stage/or-aborted.js';
import { BenchCluster } from './bench-cluster.js';
import { endOf } from './component-end.js';
import { reach } from './goal.js';
import type { MeasuredProgram } from './measured-program.js';
import { processUsage } from './measures/process-usage.js';
import { Meter } from './meter.js';
import type { Progress } from './phase.js';
import type { ScaleResult } from './results.js';
import type { Scenario } from './scenario.js';
import { createSettledState } from './settled-state.js';

export interface ScaleOptions extends MeasuredProgram {
  scenario: Scenario;
  /** How long the controller is watched with nothing to do. Default: 30. */
  restSeconds?: number;
  /** Time between its listings of EC2. Default: 90, to see one within the run; its own default is 10 minutes. */
  resyncSeconds?: number;
  progress: Progress;
  /** Ends the run. */
  signal: AbortSignal;
  /** Default: the machine's. */
  clock?: Clock;
}

/** A resync's work is over this long after its listing. */
const RESYNC_SETTLES_MS = 10_000;
/** The controller has settled once it uses less CPU time than that in so long. */
const SETTLED = { cpuSeconds: 0.05, withinMs: 1_000 };

/**
 * Starts a controller in a large cluster in which there is nothing to do, and measures what that takes.
 * EC2 answers at once and never throttles: the controller is what is measured.
 * @throws ComponentEndedError; the signal's reason
 */
export async function runScale(options: ScaleOptions): Promise<ScaleResult> {
  const { scenario, restSeconds = 30, resyncSeconds = 90, progress } = options;
  const { clock = systemClock } = options;
  const { name, enis, nodes } = scenario;
  progress(`${name}: making ${nodes} nodes and ${enis} ENIs as a controller leaves them`);
  await using cluster = await BenchCluster.start({
    ...options,
    env: { RESYNC_PERIOD: `${resyncSeconds}s` },
    ec2Limits: false,
    beforeController: async (surroundings) => {
      await createSettledState(surroundings);
      await surroundings.ec2.resetCounts();
    },
  });
  const signal = AbortSignal.any([options.signal, endOf(cluster.controller, 'The controller')]);
  const meter = new Meter(cluster);
  const { pid } = cluster.controller;

  progress(`${name}: the controller starts`);
  await orAborted(cluster.controller.started, signal);
  const startedMs = clock.now() - cluster.controllerStartedAt;
  const settledMs = (await untilSettled(pid, clock, signal)) - cluster.controllerStartedAt;
  const start = await meter.read();
  progress(`${name}: settled after ${(settledMs / 1_000).toFixed(1)} s; watching it at rest`);
  await sleep(clock, restSeconds * 1_000, signal);
  const atRest = await processUsage(pid);
  const rest = { seconds: restSeconds, ...(await meter.read()) };

  progress(`${name}: waiting for the next listing of EC2`);
  const target = 2 * (start.ec2.byAction.DescribeNetworkInterfaces ?? 0);
  const count = async () =>
    Math.min(target, (await cluster.ec2.calls()).byAction.DescribeNetworkInterfaces?.ok ?? 0);
  await reach({ what: 'pages listed', target, count }, { clock, signal });
  await sleep(clock, RESYNC_SETTLES_MS, signal);
  const resync = await meter.read();
  const { rss, peakRss, cpuSeconds } = await processUsage(pid);
  return {
    scenario,
    startedSeconds: startedMs / 1_000,
    settledSeconds: settledMs / 1_000,
    start,
    rest,
    resync,
    memory: { atRest: atRest.rss, afterResync: rss, peakRss },
    cpuSeconds,
  };
}

/** Resolves with the clock's milliseconds at the beginning of the first time in which it did next to nothing. */
async function untilSettled(pid: number, clock: Clock, signal: AbortSignal): Promise<number> {
  for (;;) {
    const from = clock.now();
    const before = await processUsage(pid);
    await sleep(clock, SETTLED.withinMs, signal);
    const after = await processUsage(pid);
    if (after.cpuSeconds - before.cpuSeconds < SETTLED.cpuSeconds) {
      return from;
    }
  }
}
