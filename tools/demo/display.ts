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
