import { type Clock, systemClock } from '../src/runtime/clock.js';
import { orAborted } from '../tools/stage/or-aborted.js';
import { BenchCluster } from './bench-cluster.js';
import { endOf } from './component-end.js';
import { TO_ATTACH, TO_REMOVE } from './floor.js';
import { attached, gone } from './goals.js';
import type { MeasuredProgram } from './measured-program.js';
import { difference } from './measures/ec2-calls.js';
import { Meter } from './meter.js';
import { OtherUser } from './other-user.js';
import { measurePhase, type Progress } from './phase.js';
import type { ShareResult } from './results.js';
import type { Scenario } from './scenario.js';

export interface ShareOptions extends MeasuredProgram {
  scenario: Scenario;
  /** The controller's EC2_BUDGET_SHARE, above 0 and at most 1. */
  share: number;
  progress: Progress;
  /** Ends the run. */
  signal: AbortSignal;
  /** Default: the machine's. */
  clock?: Clock;
}

/** The other user keeps to its half in each run. */
const OTHER_SHARE = 0.5;

/**
 * Attaches all ENIs and removes them while another user of the account calls EC2 as fast as half of its rates
 * allows.
 * @throws ComponentEndedError, PhaseTimeoutError; the signal's reason
 */
export async function runShare(options: ShareOptions): Promise<ShareResult> {
  const { scenario, share, progress, clock = systemClock } = options;
  const { nodes, nodeENIs, enis } = scenario;
  const name = `${scenario.name} at ${share}`;
  progress(`${name}: starting the control plane, EC2, ${nodes} nodes and the controller`);
  await using cluster = await BenchCluster.start({
    ...options,
    env: { EC2_BUDGET_SHARE: String(share) },
  });
  const signal = AbortSignal.any([options.signal, endOf(cluster.controller, 'The controller')]);
  await orAborted(cluster.controller.started, signal);

  const meter = new Meter(cluster);
  const shared = { enis, share, hasOthers: true, meter, clock, progress, signal };
  const begun = clock.now();
  const other = OtherUser.start({ ec2Url: cluster.ec2.url, share: OTHER_SHARE });
  try {
    const attach = await measurePhase({
      ...shared,
      name: `${name} attach`,
      writes: TO_ATTACH,
      ask: () => cluster.createNodeENIs(),
      goals: attached(cluster, { nodes, nodeENIs }),
    });
    const allDeleted = await measurePhase({
      ...shared,
      name: `${name} all deleted`,
      writes: TO_REMOVE,
      ask: () => cluster.deleteNodeENIs(),
      goals: gone(cluster),
    });
    const otherCalls = await other.stop();
    const seconds = (clock.now() - begun) / 1_000;
    await meter.read();
    return {
      scenario,
      share,
      attach,
      allDeleted,
      seconds,
      other: otherCalls,
      own: difference(meter.allCalls, otherCalls),
    };
  } finally {
    await other.stop();
  }
}
