import { type Clock, sleep, systemClock } from '../src/runtime/clock.js';
import { orAborted } from '../tools/stage/or-aborted.js';
import { BenchCluster } from './bench-cluster.js';
import { endOf } from './component-end.js';
import { refillSeconds, TO_ATTACH, TO_REMOVE } from './floor.js';
import { attached, gone, reducedTo } from './goals.js';
import type { MeasuredProgram } from './measured-program.js';
import { processUsage } from './measures/process-usage.js';
import { Meter } from './meter.js';
import { measurePhase, type PhaseOptions, type Progress } from './phase.js';
import type { QuietResult, ScenarioResult } from './results.js';
import type { Scenario } from './scenario.js';

export interface RunOptions extends MeasuredProgram {
  scenario: Scenario;
  /** How long the controller is watched with nothing to do. */
  quietSeconds: number;
  progress: Progress;
  /** Ends the run. */
  signal: AbortSignal;
  /** Default: the machine's. */
  clock?: Clock;
}

/** What the controller does between its start and the first change is over after this long. */
const START_SETTLES_MS = 2_000;

/**
 * Measures a scenario on a cluster of its own: all ENIs attached; nothing to do; the label of half the nodes
 * removed; all NodeENIs deleted. Each change begins with EC2's token buckets full.
 * @throws ComponentEndedError, PhaseTimeoutError; the signal's reason
 */
export async function runScenario(options: RunOptions): Promise<ScenarioResult> {
  const { scenario, quietSeconds, progress, clock = systemClock } = options;
  const { name, nodes, nodeENIs, enis } = scenario;
  progress(`${name}: starting the control plane, EC2, ${nodes} nodes and the controller`);
  await using cluster = await BenchCluster.start(options);
  const signal = AbortSignal.any([options.signal, endOf(cluster.controller, 'The controller')]);
  await untilIdle(cluster, clock, signal);

  const meter = new Meter(cluster);
  const measure = (phase: Pick<PhaseOptions, 'name' | 'enis' | 'writes' | 'ask' | 'goals'>) =>
    measurePhase({ ...phase, name: `${name} ${phase.name}`, meter, clock, progress, signal });

  const attach = await measure({
    name: 'attach',
    enis,
    writes: TO_ATTACH,
    ask: () => cluster.createNodeENIs(),
    goals: attached(cluster, { nodes, nodeENIs }),
  });

  progress(`${name} quiet: ${quietSeconds} s with nothing to do`);
  await sleep(clock, quietSeconds * 1_000, signal);
  const quiet: QuietResult = { seconds: quietSeconds, ...(await meter.read()) };

  const unlabelled = Math.floor(nodes / 2);
  const halfRemoved = await measure({
    name: 'half removed',
    enis: unlabelled * nodeENIs,
    writes: TO_REMOVE,
    ask: () => cluster.unlabel(unlabelled),
    goals: reducedTo(cluster, { nodes: nodes - unlabelled, nodeENIs }),
  });
  await sleep(clock, refillSeconds(TO_REMOVE, halfRemoved.enis) * 1_000, signal);

  const allDeleted = await measure({
    name: 'all deleted',
    enis: (nodes - unlabelled) * nodeENIs,
    writes: TO_REMOVE,
    ask: () => cluster.deleteNodeENIs(),
    goals: gone(cluster),
  });
  const { rss, peakRss, cpuSeconds } = await processUsage(cluster.controller.pid);
  const memory = { rss, peakRss };
  return { scenario, attach, quiet, halfRemoved, allDeleted, memory, cpuSeconds };
}

async function untilIdle(cluster: BenchCluster, clock: Clock, signal: AbortSignal): Promise<void> {
  await orAborted(cluster.controller.started, signal);
  await sleep(clock, START_SETTLES_MS, signal);
}
