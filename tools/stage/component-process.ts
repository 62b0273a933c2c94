import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface ComponentCommand {
  /** The program and its arguments. */
  command: readonly [string, ...string[]];
  env: Readonly<Record<string, string>>;
  /** Called for each line that the component writes. */
  onLine?: ((line: string) => void) | undefined;
}

/** One line of a component's log. */
export interface LogLine {
  ts: string;
  level: string;
  msg: string;
  [field: string]: unknown;
}

/** A component ended while it was needed. */
export class ComponentEndedError extends Error {
  override readonly name = 'ComponentEndedError';

  constructor(
    /** As a sentence begins with it: `The controller`. */
    readonly component: string,
    /** `code`: null when a signal ended it; `lines`: the last ones of its log, for the message. */
    { code, lines = [] }: { code: number | null; lines?: readonly string[] },
  ) {
    const how = code === null ? 'by a signal' : `with code ${code}`;
    const log = lines.length > 0 ? ['Its last lines:', ...lines] : [];
    super([`${component} ended ${how}.`, ...log].join('\n'));
  }
}

/** What a component logs once it works. */
const STARTED = '"msg":"Started"';

/** Lines of the log that are kept for those who ask what happened. */
const KEPT_LINES = 20_000;

/** A component as it is shipped, in a process of its own. */
export class ComponentProcess {
  readonly lines: string[] = [];
  private readonly child: ChildProcess;
  private readonly exited: Promise<number | null>;
  private readonly start = Promise.withResolvers<void>();
  private isStarted = false;

  protected constructor({ command: [program, ...args], env, onLine }: ComponentCommand) {
    this.child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env },
    });
    this.exited = once(this.child, 'exit').then(([code]) => code as number | null);
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (stream) {
        createInterface({ input: stream }).on('line', (line) => {
          this.lines.push(line);
          if (this.lines.length > KEPT_LINES) {
            this.lines.shift();
          }
          onLine?.(line);
          if (line.includes(STARTED)) {
            this.isStarted = true;
            this.start.resolve();
          }
        });
      }
    }
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Whether the component has logged that it works. */
  get hasStarted(): boolean {
    return this.isStarted;
  }

  /** Resolves once the component logs that it works. It stays pending when the component ends first. */
  get started(): Promise<void> {
    return this.start.promise;
  }

  /** The log so far, without what is no log line. */
  get log(): LogLine[] {
    return this.lines.flatMap((line) => {
      try {
        return [JSON.parse(line) as LogLine];
      } catch {
        return [];
      }
    });
  }

  /** Resolves with the exit code (null: ended by a signal) once the process has ended. */
  ended(): Promise<number | null> {
    return this.exited;
  }

  /** Ends the process; SIGTERM lets it end what it is doing. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal);
    return this.exited;
  }
}
