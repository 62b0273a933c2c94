import type { DemoStage } from './demo-stage.js';
import type { WatchedTable } from './watched-table.js';

/** Something that a user would type, what then happens, and what they would read. */
export type Command = Run | Watch;

export interface Run {
  /** As it would be typed; absent where no tool would show what follows. */
  line?: string;
  /** Does what the line says. @returns the lines that it prints. */
  run(stage: DemoStage): Promise<string[]>;
}

/** A table to look at, until it shows what was announced. */
export interface Watch {
  /** As it would be typed to see the table once. */
  line: string;
  watched(stage: DemoStage): WatchedTable;
  until(stage: DemoStage): boolean;
  /** What there is to see in the end. */
  outcome: string;
}
