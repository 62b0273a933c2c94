import type { DemoStage } from './demo-stage.js';
import type { WatchedTable } from './watched-table.js';

/** Something that a user would type, what then happens, and what they would read. */
export interface Command {
  /** As it would be typed. */
  line: string;
  /** Does what the line says. @returns the lines that it prints. */
  run?: (stage: DemoStage) => Promise<string[]>;
  /** A table to look at until it shows what was announced. */
  watch?: {
    table: (stage: DemoStage) => WatchedTable;
    until: (stage: DemoStage) => boolean;
    /** What there is to see in the end. */
    outcome: string;
  };
}
