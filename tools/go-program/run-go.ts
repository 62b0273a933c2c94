import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The program cannot be built here; the message has what Go says. */
export class GoProgramError extends Error {
  override readonly name = 'GoProgramError';

  constructor(
    command: string,
    /** The last line of what Go says. */
    readonly problem: string,
    output = problem,
  ) {
    super(`"${command}" failed: ${output}`);
  }
}

interface GoRun {
  cwd: string;
  env?: Record<string, string>;
  signal: AbortSignal | undefined;
}

/** @throws GoProgramError */
export async function runGo(
  args: readonly string[],
  { cwd, env = {}, signal }: GoRun,
): Promise<void> {
  signal?.throwIfAborted();
  // A go.work of a folder above is not ours.
  const settings = { ...process.env, GOWORK: 'off', GOFLAGS: '-trimpath', ...env };
  const running = promisify(execFile)('go', args, { cwd, env: settings });
  // Go then removes its temporary files.
  const interrupt = (): void => void running.child.kill('SIGINT');
  signal?.addEventListener('abort', interrupt, { once: true });
  try {
    await running;
  } catch (error) {
    signal?.throwIfAborted();
    throw goProgramError(`go ${args.join(' ')}`, error);
  } finally {
    signal?.removeEventListener('abort', interrupt);
  }
}

function goProgramError(command: string, error: unknown): GoProgramError {
  const { code, stderr } = error as { code?: unknown; stderr?: string };
  if (code === 'ENOENT') return new GoProgramError(command, 'there is no Go on the PATH');
  const output = (stderr || String(error)).trim();
  return new GoProgramError(command, output.split('\n').at(-1) ?? '', output);
}
