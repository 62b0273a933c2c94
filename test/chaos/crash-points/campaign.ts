import {
  type CrashPoint,
  describeWrite,
  type Moment,
  pointsOf,
  type Write,
} from './crash-point.js';
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
  /** As many trials run side by side as there are rigs. */
  rigs: readonly Rig[];
  scenarios: readonly Scenario[];
  /** Decides which points are chosen by lot: the same seed, the same choice. */
  seed: number;
  /** Of the scenarios' moments, only these; unset: all. */
  moments?: readonly Moment[] | undefined;
  /** Only writes whose names contain this; unset: all. */
  only?: string | undefined;
  /** Called with a line about each step. */
  progress: (line: string) => void;
  signal?: AbortSignal;
}

/** EC2 refuses some calls until a new ENI is visible; after the second, a repeated one is no new point. */
const MAX_REPEATS = 2;

/**
 * Lives each scenario once to learn its writes, then once for each crash point.
 * @throws the signal's reason
 */
export async function runCampaign(options: CampaignOptions): Promise<Tally> {
  const tally: Tally = { tried: 0, survived: 0, notMet: 0, casualties: [] };
  for (const scenario of options.scenarios) {
    await new Chapter(scenario, options, tally).run();
  }
  return tally;
}

/** One scenario of a campaign. */
class Chapter {
  private points: readonly CrashPoint[] = [];
  private begun = 0;

  constructor(
    private readonly scenario: Scenario,
    private readonly options: CampaignOptions,
    private readonly tally: Tally,
  ) {}

  async run(): Promise<void> {
    const { scenario, options } = this;
    const [rig] = options.rigs;
    options.signal?.throwIfAborted();
    const rehearsal = rig && (await runTrial({ rig, scenario }));
    if (!rehearsal?.survived) {
      const { faults, lastLines } = rehearsal ?? { faults: ['there is no rig'], lastLines: [] };
      this.tally.casualties.push({ scenario: scenario.name, faults, lastLines });
      options.progress(`${scenario.name}: FAILED without a crash`);
      return;
    }
    this.points = this.chosen(rehearsal);
    options.progress(
      `${scenario.name}: ${rehearsal.writes.length} writes, ${this.points.length} crash points`,
    );
    await Promise.all(options.rigs.map((each) => this.work(each)));
  }

  private async work(rig: Rig): Promise<void> {
    const { scenario, options } = this;
    for (let point = this.next(); point; point = this.next()) {
      options.signal?.throwIfAborted();
      const since = Date.now();
      const place = `${String(this.begun).padStart(3)}/${this.points.length}`;
      const result = await runTrial({ rig, scenario, point });
      this.count(point, result);
      const what = `${point.moment.padEnd(10)} ${describeWrite(point.write).padEnd(44)}`;
      const seconds = ((Date.now() - since) / 1_000).toFixed(1).padStart(5);
      const faults = result.survived ? '' : `  ${result.faults.join('; ')}`;
      options.progress(`  ${place}  ${what} ${wordFor(result)} ${seconds} s${faults}`);
    }
  }

  private next(): CrashPoint | undefined {
    return this.points[this.begun++];
  }

  private chosen({ writes, providing }: { writes: readonly Write[]; providing: number }) {
    const { stretch, moments, sample } = this.scenario;
    const { seed, only = '', moments: asked = moments } = this.options;
    const start = stretch === 'removing' ? providing : 0;
    const end = stretch === 'providing' ? providing : writes.length;
    const points = pointsOf(
      writes.slice(start, end).filter(({ name }) => name.includes(only)),
      moments.filter((moment) => asked.includes(moment)),
    );
    return sample === undefined
      ? points.filter(({ write }) => write.occurrence <= MAX_REPEATS || !isEc2(write))
      : shuffled(points, seed).slice(0, sample);
  }

  private count(point: CrashPoint, result: TrialResult): void {
    const { tally, scenario } = this;
    if (!result.survived) {
      const { faults, lastLines } = result;
      tally.casualties.push({ scenario: scenario.name, point, faults, lastLines });
    } else if (!result.crashed) {
      tally.notMet += 1;
      return;
    }
    tally.tried += 1;
    tally.survived += result.survived ? 1 : 0;
  }
}

/** EC2's actions are one word. */
function isEc2({ name }: Write): boolean {
  return !name.includes(' ');
}

function wordFor(result: TrialResult): string {
  if (!result.survived) {
    return 'FAILED  ';
  }
  return result.crashed ? 'survived' : 'not met ';
}
