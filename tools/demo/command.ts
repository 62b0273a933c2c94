import type { DemoStage } from './demo-stage.js';
import type { WatchedTable } from './watched-table.js';

/** A command line; a function where it names what the stage alone knows. */
type Line = string | ((stage: DemoStage) => string);

/** Something that a user would type, what then happens, and what they would read. */
export type Command = Run | Watch;

export interface Run {
  /** As it would be typed; absent where no tool would show what follows. */
  line?: Line;
  /** Does what the line says. @returns the lines that it prints. */
  run(stage: DemoStage): Promise<string[]>;
}

/** A table to look at, until it shows what was announced. */
export interface Watch {
  /** As it would be typed to see the table once. */
  line: Line;
  watched(stage: DemoStage): WatchedTable;
  until(stage: DemoStage): boolean;
  /** What there is to see in the end. */
  outcome: string;
}

/** The line as it would be typed; undefined where no tool would show what follows. */
export function lineOf({ line }: Pick<Run, 'line'>, stage: DemoStage): string | undefined {
  return typeof line === 'function' ? line(stage) : line;
}
