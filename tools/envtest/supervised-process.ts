import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Runs a command and watches standard input, a pipe whose other end only the parent holds: a line
 * asks the command to end (SIGTERM), the end of the pipe kills it (SIGKILL). The kernel closes the
 * pipe of a dead parent, whatever it died of, so the command never outlives it.
 */
const SUPERVISOR = `
exec 3<&0
"$@" </dev/null 3<&- &
child=$!
exec 2>/dev/null
{
  read -r line <&3 && kill -TERM "$child" && read -r line <&3
  kill -KILL "$child"
} >/dev/null &
watcher=$!
wait "$child"
status=$?
kill -KILL "$watcher"
wait "$watcher"
exit "$status"
`;

const HEALTH_POLL_MS = 50;
const KEPT_LINES = 30;

export interface SupervisedProcessOptions {
  /** The name that error messages use. */
  name: string;
  command: string;
  args: readonly string[];
  /** Runs the command that follows, elsewhere: `nsenter` with its options. Unset: it runs here. */
  launcher?: readonly string[] | undefined;
  /** Called repeatedly until it returns true; an exception counts as false. */
  isHealthy: (signal: AbortSignal) => Promise<boolean>;
  /** Time in milliseconds from the start until `isHealthy` must have been true. */
  startTimeoutMs: number;
  /** Time in milliseconds that a polite stop may take before SIGKILL. */
  stopTimeoutMs: number;
  /** Receives each line the process prints. */
  onLine?: ((line: string) => void) | undefined;
}

/** A process ended, or did not become healthy in time, while it was being started. */
export class ProcessStartError extends Error {
  override readonly name = 'ProcessStartError';

  constructor(
    readonly processName: string,
    readonly problem: string,
    /** The last lines that the process printed. */
    readonly output: string,
  ) {
    super(`${processName} ${problem}${output ? `; its last lines:\n${output}` : ''}`);
  }
}

type Supervisor = ChildProcessByStdio<Writable, Readable, Readable>;

/** A child process that is healthy once started and that never outlives this process. */
export class SupervisedProcess {
  private readonly lastLines: string[] = [];
  /** Later than its exit: all it printed has been read. */
  private readonly closed: Promise<unknown>;

  private constructor(
    private readonly supervisor: Supervisor,
    private readonly options: SupervisedProcessOptions,
  ) {
    this.closed = once(supervisor, 'close');
    for (const stream of [supervisor.stdout, supervisor.stderr]) {
      createInterface({ input: stream }).on('line', (line) => this.keep(line));
    }
  }

  /** @throws ProcessStartError when the process ends, or `startTimeoutMs` passes, before it is healthy. */
  static async start(options: SupervisedProcessOptions): Promise<SupervisedProcess> {
    const { name, command, args, launcher = [] } = options;
    // The shell is launched too: a signal to a launcher that forks would not reach the command.
    const shell = [...launcher, '/bin/sh', '-c', SUPERVISOR, name, command, ...args];
    const supervisor = spawn(
      shell[0] ?? '',
      shell.slice(1),
      // Its own process group: Ctrl-C on a terminal is the parent's to handle.
      { stdio: ['pipe', 'pipe', 'pipe'], detached: true },
    );
    supervisor.stdin.on('error', () => {});
    const started = new SupervisedProcess(supervisor, options);
    try {
      await started.untilHealthy();
    } catch (error) {
      await started.kill();
      throw error;
    }
    started.letParentEnd();
    return started;
  }

  get running(): boolean {
    return this.supervisor.exitCode === null && this.supervisor.signalCode === null;
  }

  /** Ends the process: SIGTERM, and SIGKILL when that takes longer than `stopTimeoutMs`; idempotent. */
  async stop(): Promise<void> {
    if (!this.running) return;
    this.supervisor.ref();
    const exited = once(this.supervisor, 'exit');
    this.supervisor.stdin.write('stop\n');
    const patience = new AbortController();
    const tooLong = delay(this.options.stopTimeoutMs, undefined, { signal: patience.signal });
    await Promise.race([exited, tooLong]);
    patience.abort();
    await this.kill();
  }

  /** Ends the process by SIGKILL; idempotent. */
  async kill(): Promise<void> {
    if (!this.running) return;
    this.supervisor.ref();
    const exited = once(this.supervisor, 'exit');
    this.supervisor.stdin.end();
    await exited;
  }

  /** Stops the process where it stands, and lets it go on. */
  pause(): void {
    this.signalGroup('SIGSTOP');
  }

  resume(): void {
    this.signalGroup('SIGCONT');
  }

  private signalGroup(signal: 'SIGSTOP' | 'SIGCONT'): void {
    const { pid } = this.supervisor;
    if (pid !== undefined && this.running) process.kill(-pid, signal);
  }

  private async untilHealthy(): Promise<void> {
    const { name, isHealthy, startTimeoutMs } = this.options;
    const deadline = AbortSignal.timeout(startTimeoutMs);
    while (!(await isHealthy(deadline).catch(() => false))) {
      if (!this.running) {
        await this.closed;
        throw new ProcessStartError(name, `ended with ${this.exitReason()}`, this.output());
      }
      if (deadline.aborted) {
        const seconds = startTimeoutMs / 1000;
        throw new ProcessStartError(name, `was not healthy after ${seconds} s`, this.output());
      }
      await delay(HEALTH_POLL_MS);
    }
  }

  /** A process that merely runs must not keep a finished test run from ending. */
  private letParentEnd(): void {
    const { supervisor } = this;
    supervisor.unref();
    for (const stream of [supervisor.stdin, supervisor.stdout, supervisor.stderr]) {
      if ('unref' in stream && typeof stream.unref === 'function') stream.unref();
    }
  }

  private keep(line: string): void {
    this.lastLines.push(line);
    if (this.lastLines.length > KEPT_LINES) this.lastLines.shift();
    this.options.onLine?.(line);
  }

  private output(): string {
    return this.lastLines.join('\n');
  }

  private exitReason(): string {
    const { exitCode, signalCode } = this.supervisor;
    return signalCode ? `signal ${signalCode}` : `code ${exitCode}`;
  }
}
