import type { Clock } from '../../runtime/clock.js';

/** The parts of the process that commands use. */
export interface CliIo {
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  /** Aborts at Ctrl-C. */
  signal: AbortSignal;
  /** Reads standard input to its end. */
  stdin(): Promise<string>;
  write(text: string): void;
  writeError(text: string): void;
  /** Whether standard output is a terminal. */
  isTerminal: boolean;
  /** Characters of a line on the terminal. */
  columns: number;
}
