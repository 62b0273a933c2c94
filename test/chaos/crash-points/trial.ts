import { type Clock, sleep, systemClock } from '../../../src/runtime/clock.js';
import type { CrashPoint, Write } from './crash-point.js';
import { deviations, duplicates } from './expectation.js';
import type { Rig } from './rig.js';
import type { Scenario } from './scenario.js';
import { TrialStage } from './trial-stage.js';

/** How one life went. */
export type TrialResult =
  /**
   * `crashed`: whether the crash point was met at all; `providing`: how many of the writes came before all
   * ENIs were ready.
   */
  | { survived: true; crashed: boolean; writes: readonly Write[]; providing: number }
  | { survived: false; crashed: boolean; faults: string[]; lastLines: string[] };

export interface TrialOptions {
  rig: Rig;
  scenario: Scenario;
  /** Unset: the controller is not killed, and its writes are counted. */
  point?: CrashPoint | undefined;
  clock?: Clock;
}

/** What users asked for did not come about, or something came about that must never. */
class TrialFailure extends Error {
  override readonly name = 'TrialFailure';

  constructor(readonly faults: string[]) {
    super(faults.join('; '));
  }
}

const LOOK_EVERY_MS = 40;
/** Longest wait for a change to take effect, a crash and a restart included. */
const EFFECT_WITHIN_MS = 60_000;
/** What is so for this long stays so. */
const STABLE_MS = 250;
/** Events, and the last status, may be written after the change has taken effect. */
const LAST_WRITES_MS = 600;

/** Lives one life, killing the controller once on the way where there is a crash point. */
export async function runTrial(options: TrialOptions): Promise<TrialResult> {
  const { rig, scenario, point, clock = systemClock } = options;
  await using stage = await TrialStage.open({ rig, scenario, point });
  const { controller } = stage;
  try {
    await effective(stage, clock);
    const providing = controller.writes.length;
    for (const change of scenario.afterwards) {
      await stage.change(change);
      await effective(stage, clock);
    }
    if (!controller.hasCrashed) {
      await sleep(clock, LAST_WRITES_MS);
    }
    await effective(stage, clock);
    return { survived: true, crashed: controller.hasCrashed, writes: controller.writes, providing };
  } catch (error) {
    const faults =
      error instanceof TrialFailure
        ? error.faults
        : [error instanceof Error ? error.message : String(error)];
    return {
      survived: false,
      crashed: controller.hasCrashed,
      faults,
      lastLines: controller.lastLines,
    };
  }
}

/** Resolves once everything is as users want it, and stays so. */
async function effective(stage: TrialStage, clock: Clock): Promise<void> {
  const deadline = clock.now() + EFFECT_WITHIN_MS;
  let goodSince: number | undefined;
  for (;;) {
    const view = await stage.view();
    const broken = [...duplicates(view), ...stage.controller.ledger.excess];
    if (broken.length > 0) {
      throw new TrialFailure(broken);
    }
    const faults = deviations(view, stage.intent, stage.wanted);
    const now = clock.now();
    const isGood = stage.controller.isSteady && faults.length === 0;
    goodSince = isGood ? (goodSince ?? now) : undefined;
    if (goodSince !== undefined && now - goodSince >= STABLE_MS) {
      return;
    }
    if (now > deadline) {
      throw new TrialFailure([`not so after ${EFFECT_WITHIN_MS / 1_000} s`, ...faults]);
    }
    await sleep(clock, LOOK_EVERY_MS);
  }
}
