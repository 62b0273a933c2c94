import { DemoStage } from './demo-stage.js';
import { createDisplay, type Display } from './display.js';
import { howToConnect, introduction, whatToTry } from './hints.js';
import { Interrupted, interruption } from './interruption.js';
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

/** Runs the demo on standard output, and leaves nothing behind. Resolves with the process's exit code. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const display = createDisplay(process.stdout);
  const stage = new DemoStage(display, interruption());
  try {
    await show(stage, display, options);
    return 0;
  } catch (error) {
    if (error instanceof Interrupted) {
      display.say('', 'Interrupted.');
      return 0;
    }
    display.say('', bad(`The demo failed. ${error instanceof Error ? error.message : error}`));
    const lines = stage.lastLines(LAST_LINES);
    if (lines.length > 0) {
      display.say("The controller's last lines:", ...lines.map(dim));
    }
    return 1;
  } finally {
    await stage[Symbol.asyncDispose]();
    display.say(done('Everything is stopped; nothing is left running.'));
  }
}

async function show(
  stage: DemoStage,
  display: Display,
  { fast, keep }: DemoOptions,
): Promise<void> {
  display.say(...introduction(), '');
  await stage.open();
  display.say('', ...howToConnect(stage));
  const [kept, removing] = [false, true].map((removes) =>
    STEPS.filter((step) => (step.removes ?? false) === removes),
  );
  await walk(keep ? (kept ?? []) : STEPS, { stage, display, fast });
  if (keep) {
    display.say('', ...whatToTry(removing ?? []));
    await stage.unlessAborted(new Promise(() => {}));
  }
}
