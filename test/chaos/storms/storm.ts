import { type Clock, sleep, systemClock } from '../../../src/runtime/clock.js';
import { describeError } from '../../../src/runtime/logger.js';
import { deviations, type View } from './deviations.js';
import { type Intent, intentOf } from './intent.js';
import { Model } from './model.js';
import { calmDown, perform, type World } from './perform.js';
import { type Action, describeAction, type StormPlan } from './plan.js';
import { StormStage, type StormStageOptions } from './storm-stage.js';
import { Watchdog } from './watchdog.js';

export interface StormOptions extends StormStageOptions {
  plan: StormPlan;
  /** Longest time (milliseconds) in which all must be as users want it, once the storm is over. */
  settlesWithinMs: number;
  /** Ends the storm, and the controller with it. */
  signal?: AbortSignal | undefined;
  clock?: Clock;
}

/** What a storm was about, for those who wonder whether it was any. */
export interface StormSummary {
  actions: number;
  /** ENIs that were looked at one by one in the calms. */
  enisChecked: number;
}

/** After a storm something was not as users want it, or in it something was that must never be. */
class StormDamage extends Error {
  override readonly name = 'StormDamage';

  constructor(
    readonly damage: readonly string[],
    readonly actions: readonly string[],
    readonly lastLines: readonly string[],
  ) {
    super(
      [
        ...damage,
        '',
        'What had happened:',
        ...actions.map((line) => `  ${line}`),
        '',
        "The controller's last lines:",
        ...lastLines.map((line) => `  ${line}`),
      ].join('\n'),
    );
  }
}

const LOOK_EVERY_MS = 100;
/** Longer than the period of the controller's listings: what would bring a change has happened. */
const STILL_FOR_MS = 1_500;
const NOTHING: Intent = { wanted: [], undecided: new Set(), nodes: new Map() };

/**
 * Lives through one storm, from an empty cluster to an empty cluster.
 * @throws StormDamage, or the signal's reason
 */
export async function runStorm(options: StormOptions): Promise<StormSummary> {
  await using stage = await StormStage.open(options);
  const { plan, settlesWithinMs, signal, clock = systemClock } = options;
  const storm = new Storm({ stage, model: new Model() }, { settlesWithinMs, signal, clock });
  return await storm.run(plan);
}

class Storm {
  private readonly actions: string[] = [];
  private readonly startedAt: number;
  private enisChecked = 0;

  constructor(
    private readonly world: World,
    private readonly options: {
      settlesWithinMs: number;
      signal: AbortSignal | undefined;
      clock: Clock;
    },
  ) {
    this.startedAt = options.clock.now();
  }

  async run({ setting, rounds }: StormPlan): Promise<StormSummary> {
    const { stage, model } = this.world;
    const { clock, signal } = this.options;
    using watchdog = Watchdog.start({ ec2: stage.ec2, clusterID: stage.clusterID, clock });
    stage.ec2.addInterface({ description: 'a free foreign ENI' });
    stage.startController();
    for (const action of setting) {
      await this.act(action, watchdog);
    }
    for (const round of rounds) {
      for (const { action, pauseMs } of round) {
        await this.act(action, watchdog);
        await sleep(clock, pauseMs, signal);
      }
      this.note('calm');
      await calmDown(this.world);
      const intent = intentOf(model);
      await this.settle(intent, watchdog);
      this.enisChecked += intent.wanted.filter(({ node }) => !intent.undecided.has(node)).length;
    }
    this.note('delete everything');
    await stage.deleteNodesAndNodeENIs();
    await this.settle(NOTHING, watchdog);
    return { actions: this.actions.length, enisChecked: this.enisChecked };
  }

  private async act(action: Action, watchdog: Watchdog): Promise<void> {
    const line = describeAction(action);
    this.note(line);
    try {
      await perform(action, this.world);
    } catch (error) {
      throw this.damaged([`${line} failed: ${describeError(error)}`]);
    }
    this.checkNow(watchdog);
  }

  /** Resolves once all is as it should be, and has been so without any change and any write to EC2. */
  private async settle(intent: Intent, watchdog: Watchdog): Promise<void> {
    const { clock, settlesWithinMs, signal } = this.options;
    const deadline = clock.now() + settlesWithinMs;
    let still = { print: '', since: clock.now() };
    for (;;) {
      this.checkNow(watchdog);
      const view = await this.world.stage.view();
      const wrong = deviations(view, intent);
      const print = this.printOf(view);
      if (wrong.length > 0 || print !== still.print) {
        still = { print, since: clock.now() };
      }
      if (clock.now() - still.since >= STILL_FOR_MS) {
        return;
      }
      if (clock.now() > deadline) {
        const late = `not settled after ${settlesWithinMs / 1_000} s`;
        throw this.damaged([late, ...(wrong.length > 0 ? wrong : ['it never comes to rest'])]);
      }
      await sleep(clock, LOOK_EVERY_MS, signal);
    }
  }

  /** Changes whenever anything changes, and with each write to EC2. */
  private printOf(view: View): string {
    const { byAction } = this.world.stage.ec2.calls();
    const writes = Object.entries(byAction).filter(([action]) => !action.startsWith('Describe'));
    return JSON.stringify([view, writes]);
  }

  private checkNow(watchdog: Watchdog): void {
    watchdog.look();
    const crashed = this.world.stage.hasCrashed ? ['the controller ended by itself'] : [];
    if (watchdog.violations.length + crashed.length > 0) {
      throw this.damaged([...watchdog.violations, ...crashed]);
    }
  }

  private note(line: string): void {
    const seconds = (this.options.clock.now() - this.startedAt) / 1_000;
    this.actions.push(`${seconds.toFixed(2).padStart(7)} s  ${line}`);
  }

  private damaged(damage: readonly string[]): StormDamage {
    return new StormDamage(damage, this.actions, this.world.stage.lastLines);
  }
}
