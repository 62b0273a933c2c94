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
  // The AWS SDK reads the process's own.
  const before = { ...process.env };
  Object.assign(process.env, env);
  try {
    return await captured(args, { ...options, env, stdin, signal, isTerminal });
  } finally {
    for (const name of Object.keys(env)) delete process.env[name];
    Object.assign(process.env, before);
  }
}

async function captured(
  args: string[],
  { env, stdin, signal, isTerminal }: Required<RunOptions>,
): Promise<CliRun> {
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

/** What the SDK needs to find the simulator. */
export function simulatorEnv(url: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_EC2: url,
    AWS_ACCESS_KEY_ID: 'x',
    AWS_SECRET_ACCESS_KEY: 'x',
    AWS_REGION: 'us-west-2',
  };
}
