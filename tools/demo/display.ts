import { PlainDisplay } from './plain-display.js';
import { TerminalDisplay } from './terminal-display.js';
import type { WatchedTable } from './watched-table.js';

/** Where the demo is seen. */
export interface Display {
  say(...lines: string[]): void;
  /** Shows that something is under way until `work` settles, then how long it took; passes it on. */
  during<T>(what: string, work: Promise<T>, outcome?: string): Promise<T>;
  /** The command that shows what {@link follow} shows, made of the one that shows it once. */
  watching(command: string): string;
  /** Shows a table as it is and as it changes, until `work` settles. */
  follow(table: WatchedTable, work: Promise<unknown>): Promise<void>;
}

/** Standard output: redrawn in place on a terminal, appended to line by line elsewhere. */
export function createDisplay(stream: NodeJS.WriteStream): Display {
  const canRedraw = stream.isTTY && process.env.TERM !== 'dumb';
  return canRedraw ? new TerminalDisplay(stream) : new PlainDisplay(stream);
}
