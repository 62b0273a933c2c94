import { systemClock } from '../../src/runtime/clock.js';
import { ComponentEndedError } from '../stage/component-process.js';
import { builtCniPrograms } from '../stage/host/cni-programs.js';
import { whyNoNamespaces } from '../stage/host/network-namespace.js';
import { createDisplay } from './create-display.js';
import { DemoStage } from './demo-stage.js';
import type { Display } from './display.js';
import { howToConnect, introduction, whatToTry } from './hints.js';
import { LastLines } from './last-lines.js';
import { Interrupted, interruption, Lifeline } from './lifeline.js';
import { buildPrograms } from './pod-programs.js';
import { STEPS } from './steps.js';
import { walk } from './walk.js';
import { bad, dim } from './wording.js';

export interface DemoOptions {
  /** Makes no pauses. */
  fast: boolean;
  /** Stops before anything is taken away, and waits for Ctrl-C. */
  keep: boolean;
  /** Builds what the pods need, if it is not built yet. */
  pods: boolean;
}

/**
 * Runs the demo on standard output, and leaves nothing behind. Resolves with the process's exit code: 0
 * also where the user has ended it.
 */
export async function runDemo(options: DemoOptions): Promise<number> {
  const display = createDisplay(process.stdout);
  const logs = new LastLines();
  const lifeline = Lifeline.create({ interrupted: interruption() });
  try {
    await show({ display, logs, lifeline }, options);
    return 0;
  } catch (error) {
    // Ctrl-C on a terminal also reaches commands under way, which then fail.
    if (lifeline.signal.reason instanceof Interrupted) {
      return 0;
    }
    display.say('', bad(`The demo failed: ${error instanceof Error ? error.message : error}`));
    const whose = error instanceof ComponentEndedError ? error.component : undefined;
    for (const [component, lines] of logs.latest(whose)) {
      display.say('', `${component}'s last lines:`, ...lines.map(dim));
    }
    return 1;
  }
}

interface Means {
  display: Display;
  logs: LastLines;
  lifeline: Lifeline;
}

async function show(
  { display, logs, lifeline }: Means,
  { fast, keep, pods }: DemoOptions,
): Promise<void> {
  const noAgents = await whyNoNamespaces();
  const agents = noAgents === undefined;
  const built = agents ? await builtCniPrograms() : undefined;
  display.say(...introduction({ noAgents, pods: pods || built !== undefined }), '');
  const missing = agents && pods && !built;
  const programs = missing ? await buildPrograms({ display, lifeline }) : built;
  const stage = await DemoStage.open({ display, lifeline, agents, programs, logs });
  try {
    display.say('', ...howToConnect(stage));
    const steps = STEPS.filter(
      ({ onNode, withPods }) => (agents || !onNode) && (programs || !withPods),
    );
    const given = steps.filter(({ removes }) => !removes);
    await walk(keep ? given : steps, { stage, display, clock: systemClock, fast });
    if (keep) {
      const left = steps.filter(({ removes }) => removes);
      display.say('', ...whatToTry(stage, left));
      await lifeline.guard(new Promise(() => {}));
    }
  } finally {
    const outcome = 'Everything is stopped, and nothing is left behind';
    display.say('');
    await display.during('Stopping everything', stage[Symbol.asyncDispose](), outcome);
  }
}
