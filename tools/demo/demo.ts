import { systemClock } from '../../src/runtime/clock.js';
import { DemoStage } from './demo-stage.js';
import { createDisplay, type Display } from './display.js';
import { howToConnect, introduction, whatToTry } from './hints.js';
import { Interrupted, interruption } from './interruption.js';
import { Lifeline } from './lifeline.js';
import { STEPS } from './steps.js';
import { bad, dim } from './style.js';
import { walk } from './walk.js';
import { done } from './wording.js';

export interface DemoOptions {
  /** Makes no pauses. */
  fast: boolean;
  /** Stops before anything is taken away, and waits for Ctrl-C. */
  keep: boolean;
}

/** Lines of the controller's log that tell why something failed. */
const LAST_LINES = 15;

/**
 * Runs the demo on standard output, and leaves nothing behind. Resolves with the process's exit code: 0
 * also where the user has ended it.
 */
export async function runDemo(options: DemoOptions): Promise<number> {
  const display = createDisplay(process.stdout);
  const log: string[] = [];
  const code = await show(display, log, options).then(
    () => 0,
    (error: unknown) => {
      if (error instanceof Interrupted) {
        return 0;
      }
      display.say('', bad(`The demo failed: ${error instanceof Error ? error.message : error}`));
      if (log.length > 0) {
        display.say('', "The controller's last lines:", ...log.map(dim));
      }
      return 1;
    },
  );
  display.say('', done('Everything is stopped, and nothing is left behind.'));
  return code;
}

async function show(display: Display, log: string[], { fast, keep }: DemoOptions): Promise<void> {
  display.say(...introduction(), '');
  const lifeline = Lifeline.create({ interrupted: interruption() });
  await using stage = await DemoStage.open({
    display,
    lifeline,
    onControllerLine: (line) => {
      log.push(line);
      log.splice(0, log.length - LAST_LINES);
    },
  });
  display.say('', ...howToConnect(stage));
  const [given, taken] = [false, true].map((removes) =>
    STEPS.filter((step) => (step.removes ?? false) === removes),
  );
  await walk(keep ? (given ?? []) : STEPS, { stage, display, clock: systemClock, fast });
  if (keep) {
    display.say('', ...whatToTry(stage, taken ?? []));
    await lifeline.guard(new Promise(() => {}));
  }
}
