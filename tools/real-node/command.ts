import { execFile } from 'node:child_process';

export interface CommandOptions {
  cwd?: string;
  /** The whole environment; unset: this process's. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds after which the command counts as hung; 5 min unset. */
  timeoutMs?: number;
}

/** A command ended with another code than 0, or did not end. */
class CommandError extends Error {
  override readonly name = 'CommandError';

  constructor(
    readonly command: string,
    /** null: ended by a signal, or never started. */
    readonly code: number | null,
    /** All that it wrote. */
    readonly output: string,
  ) {
    const lastLines = output.trimEnd().split('\n').slice(-20).join('\n');
    super(`"${command}" ended with ${code ?? 'a signal'}:\n${lastLines}`);
  }
}

const PATIENCE_MS = 5 * 60_000;
const MAX_OUTPUT_BYTES = 64 * 2 ** 20;

/** Runs a command. @returns what it wrote to standard output @throws CommandError */
export function run(
  command: string,
  args: readonly string[],
  { cwd, env, timeoutMs = PATIENCE_MS }: CommandOptions = {},
): Promise<string> {
  const options = { maxBuffer: MAX_OUTPUT_BYTES, timeout: timeoutMs, cwd, env };
  return new Promise((resolve, reject) => {
    execFile(command, args, options, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      const code = typeof error.code === 'number' ? error.code : null;
      const output = `${stdout}${stderr}` || error.message;
      reject(new CommandError([command, ...args].join(' '), code, output));
    });
  });
}
