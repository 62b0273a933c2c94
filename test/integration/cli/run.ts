import { runCli } from '../../../src/cli/program.js';
import { systemClock } from '../../../src/runtime/clock.js';

export interface CliRun {
  code: number;
  out: string;
  error: string;
}

export interface RunOptions {
  env?: Record<string, string>;
  stdin?: string;
  signal?: AbortSignal;
  isTerminal?: boolean;
}

/** Runs `kubectl eni` in this process. */
export async function kubectlEni(args: string[], options: RunOptions = {}): Promise<CliRun> {
  const {
    env = {},
    stdin = '',
    signal = new AbortController().signal,
    isTerminal = false,
  } = options;
  let out = '';
  let error = '';
  const code = await runCli(args, {
    env,
    clock: systemClock,
    signal,
    stdin: async () => stdin,
    write: (text) => {
      out += text;
    },
    writeError: (text) => {
      error += text;
    },
    isTerminal,
    columns: 120,
  });
  return { code, out, error };
}
