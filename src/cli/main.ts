import { text } from 'node:stream/consumers';
import { systemClock } from '../runtime/clock.js';
import { runCli } from './program.js';
import type { CliIo } from './shared/cli-io.js';

const DEFAULT_COLUMNS = 120;

const stop = new AbortController();
process.once('SIGINT', () => stop.abort(new Error('interrupted')));

// A reader such as head may close the pipe early.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

const io: CliIo = {
  env: process.env,
  clock: systemClock,
  signal: stop.signal,
  stdin: () => text(process.stdin),
  write: (chunk) => process.stdout.write(chunk),
  writeError: (chunk) => process.stderr.write(chunk),
  isTerminal: process.stdout.isTTY === true,
  columns: process.stdout.columns ?? DEFAULT_COLUMNS,
};

// No top-level await: a single executable is CommonJS.
void runCli(process.argv.slice(2), io).then((exitCode) => {
  process.exitCode = exitCode;
});
