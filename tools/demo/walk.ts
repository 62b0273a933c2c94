import { type Clock, sleep } from '../../src/runtime/clock.js';
import { type Command, lineOf, type Watch } from './command.js';
import type { DemoStage } from './demo-stage.js';
import type { Display } from './display.js';
import { NotSeenError, PATIENCE_MS } from './not-seen-error.js';
import type { Step } from './steps.js';
import { bold, done, seconds, typed } from './wording.js';

/** Time to read a step's sentence, and each line that a command prints, in milliseconds. */
const READING_MS = { sentence: 1_200, line: 120 };
export interface WalkOptions {
  stage: DemoStage;
  display: Display;
  clock: Clock;
  /** Whether to skip the pauses for reading. */
  fast: boolean;
}

/**
 * Goes through the steps, one after the other, each once the one before has come true.
 * @throws NotSeenError; the reason of the stage's signal; what a command throws
 */
export async function walk(steps: readonly Step[], options: WalkOptions): Promise<void> {
  const { stage, display, clock, fast } = options;
  const pause = (ms: number) => sleep(clock, fast ? 0 : ms, stage.lifeline.signal);
  for (const [index, { says, commands }] of steps.entries()) {
    display.say('', bold(`${index + 1}/${steps.length}  ${says}`));
    await pause(READING_MS.sentence);
    for (const command of commands) {
      const lines = await carryOut(command, options);
      await pause(lines * READING_MS.line);
    }
  }
}

/** Resolves with the number of lines that there are to read. */
async function carryOut(command: Command, options: WalkOptions): Promise<number> {
  if ('watched' in command) {
    return look(command, options);
  }
  const { stage, display } = options;
  display.say('');
  const line = lineOf(command, stage);
  if (line) {
    display.say(typed(line));
  }
  const lines = await stage.lifeline.guard(command.run(stage));
  display.say(...lines);
  return lines.length > 1 ? lines.length : 0;
}

async function look(watch: Watch, { stage, display, clock }: WalkOptions): Promise<number> {
  display.say('', typed(display.watching(lineOf(watch, stage) ?? '')));
  const startedAt = clock.now();
  const { promise: tooLate, reject } = Promise.withResolvers<never>();
  const timer = clock.after(PATIENCE_MS, () => reject(new NotSeenError(watch.outcome)));
  const seen = stage.until(() => watch.until(stage));
  try {
    await display.follow(watch.watched(stage), Promise.race([seen, tooLate]));
  } finally {
    timer.cancel();
  }
  display.say(done(`${watch.outcome} (${seconds(clock.now() - startedAt)})`));
  return watch.watched(stage).table.rows.length;
}
