import { type CrashPoint, describePoint, type Moment, pointsOf } from './crash-point.js';
import { shuffled } from './lot.js';
import type { Rig } from './rig.js';
import type { Scenario } from './scenario.js';
import { runTrial, type TrialResult } from './trial.js';

/** Why a crash point was not survived. */
export interface Casualty {
  scenario: string;
  /** Unset: the life failed without any crash. */
  point?: CrashPoint;
  faults: string[];
  /** The controller's last log lines. */
  lastLines: string[];
}

export interface Tally {
  tried: number;
  survived: number;
  /** Points that did not come up again in their own run: which status writes are merged is up to timing. */
  notMet: number;
  casualties: Casualty[];
}

export interface CampaignOptions {
  rig: Rig;
  scenarios: readonly Scenario[];
  /** Decides which points are chosen by lot: the same seed, the same choice. */
  seed: number;
  /** Unset: all. */
  moments?: readonly Moment[] | undefined;
  /** Only writes whose names contain this. */
  only?: string | undefined;
  /** Hears what is being done. */
  progress: (line: string) => void;
  signal?: AbortSignal;
}

/**
 * Lives each scenario once to learn its writes, then once for each crash point.
 * @throws the signal's reason
 */
export async function runCampaign(options: CampaignOptions): Promise<Tally> {
  const tally: Tally = { tried: 0, survived: 0, notMet: 0, casualties: [] };
  for (const scenario of options.scenarios) {
    await runScenario(scenario, options, tally);
  }
  return tally;
}

async function runScenario(
  scenario: Scenario,
  options: CampaignOptions,
  tally: Tally,
): Promise<void> {
  const { rig, progress, signal } = options;
  signal?.throwIfAborted();
  const rehearsal = await runTrial({ rig, scenario });
  if (!rehearsal.survived) {
    const { faults, lastLines } = rehearsal;
    tally.casualties.push({ scenario: scenario.name, faults, lastLines });
    progress(`${scenario.name}: FAILED without a crash`);
    return;
  }
  const points = chosen(scenario, pointsOf(rehearsal.writes, options.moments), options);
  progress(`${scenario.name}: ${rehearsal.writes.length} writes, ${points.length} crash points`);
  for (const [index, point] of points.entries()) {
    signal?.throwIfAborted();
    const begun = Date.now();
    const result = await runTrial({ rig, scenario, point });
    count(tally, { scenario, point, result });
    const seconds = ((Date.now() - begun) / 1_000).toFixed(1);
    const place = `${String(index + 1).padStart(3)}/${points.length}`;
    progress(`  ${place}  ${describePoint(point).padEnd(60)} ${wordFor(result)}  ${seconds} s`);
  }
}

function chosen(
  { sample }: Scenario,
  points: readonly CrashPoint[],
  { seed, only = '' }: CampaignOptions,
): readonly CrashPoint[] {
  const matching = points.filter(({ write }) => write.name.includes(only));
  return sample === undefined ? matching : shuffled(matching, seed).slice(0, sample);
}

function count(
  tally: Tally,
  { scenario, point, result }: { scenario: Scenario; point: CrashPoint; result: TrialResult },
): void {
  if (!result.survived) {
    const { faults, lastLines } = result;
    tally.casualties.push({ scenario: scenario.name, point, faults, lastLines });
  }
  if (result.survived && !result.crashed) {
    tally.notMet += 1;
    return;
  }
  tally.tried += 1;
  tally.survived += result.survived ? 1 : 0;
}

function wordFor(result: TrialResult): string {
  if (!result.survived) {
    return 'FAILED';
  }
  return result.crashed ? 'survived' : 'not met ';
}
