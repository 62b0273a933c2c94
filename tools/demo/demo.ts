import { systemClock } from '../../src/runtime/clock.js';
import { DemoStage } from './demo-stage.js';
import { createDisplay, type Display } from './display.js';
import { howToConnect, introduction, whatToTry } from './hints.js';
import { Interrupted, interruption } from './interruption.js';
import { Lifeline } from './lifeline.js';
import { STEPS } from './steps.js';
import { bad, dim } from './style.js';
import { walk } from './walk.js';

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
  try {
    await show(display, log, options);
    return 0;
  } catch (error) {
    if (error instanceof Interrupted) {
      return 0;
    }
    display.say('', bad(`The demo failed: ${error instanceof Error ? error.message : error}`));
    if (log.length > 0) {
      display.say('', "The controller's last lines:", ...log.map(dim));
    }
    return 1;
  }
}

async function show(display: Display, log: string[], { fast, keep }: DemoOptions): Promise<void> {
  display.say(...introduction(), '');
  const lifeline = Lifeline.create({ interrupted: interruption() });
  const stage = await DemoStage.open({
    display,
    lifeline,
    onControllerLine: (line) => {
      log.push(line);
      log.splice(0, log.length - LAST_LINES);
    },
  });
  try {
    display.say('', ...howToConnect(stage));
    const given = STEPS.filter(({ removes }) => !removes);
    await walk(keep ? given : STEPS, { stage, display, clock: systemClock, fast });
    if (keep) {
      const left = STEPS.filter(({ removes }) => removes);
      display.say('', ...whatToTry(stage, left));
      await lifeline.guard(new Promise(() => {}));
    }
  } finally {
    const outcome = 'Everything is stopped, and nothing is left behind';
    display.say('');
    await display.during('Stopping everything', stage[Symbol.asyncDispose](), outcome);
  }
}
