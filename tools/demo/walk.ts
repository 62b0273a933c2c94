import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from './command.js';
import type { DemoStage } from './demo-stage.js';
import type { Display } from './display.js';
import type { Step } from './steps.js';
import { bold } from './style.js';
import { done, seconds, typed } from './wording.js';

/** Time to read what a command printed, and what a step says, in milliseconds. */
const READING_MS = { command: 500, step: 1_500 };
/** Nothing in the demo takes nearly as long, in milliseconds. */
const PATIENCE_MS = 60_000;

/** What was announced did not come. */
export class NotSeenError extends Error {
  override readonly name = 'NotSeenError';

  constructor(outcome: string) {
    super(`This was not seen within ${PATIENCE_MS / 1000} s: ${outcome}`);
  }
}

export interface WalkOptions {
  stage: DemoStage;
  display: Display;
  /** Whether to wait for no reader. */
  fast: boolean;
}

/** Goes through the steps, one after the other, each once the one before has come true. */
export async function walk(steps: readonly Step[], options: WalkOptions): Promise<void> {
  const { stage, display, fast } = options;
  const pause = (ms: number) => delay(fast ? 0 : ms, undefined, { signal: stage.signal });
  for (const [index, { says, commands }] of steps.entries()) {
    display.say('', bold(`${index + 1}/${steps.length}  ${says}`), '');
    await pause(READING_MS.step);
    for (const command of commands) {
      display.say(typed(command.line));
      await carryOut(command, options);
      await pause(READING_MS.command);
    }
  }
}

async function carryOut({ run, watch }: Command, { stage, display }: WalkOptions): Promise<void> {
  if (run) {
    display.say(...(await stage.unlessAborted(run(stage))));
  }
  if (watch) {
    const startedAt = Date.now();
    const seen = stage.until(() => watch.until(stage));
    const tooLong = new AbortController();
    const late = delay(PATIENCE_MS, undefined, { signal: tooLong.signal }).then(() => {
      throw new NotSeenError(watch.outcome);
    });
    try {
      await display.follow(watch.table(stage), Promise.race([seen, late]));
    } finally {
      tooLong.abort();
      late.catch(() => {});
    }
    display.say(done(`${watch.outcome} (${seconds(Date.now() - startedAt)})`));
  }
}
