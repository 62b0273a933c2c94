import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface ControllerProcessOptions {
  kubeconfigPath: string;
  /** Endpoint of the EC2 that it is to use. */
  ec2Url: string;
  region: string;
  /** More environment, or other than the defaults here. */
  env?: Readonly<Record<string, string>>;
  /** Hears each line that the controller writes. */
  onLine?: (line: string) => void;
  /** The program; default: the bundle that is shipped. */
  program?: string;
}

/** One line of the controller's log. */
export interface LogLine {
  ts: string;
  level: string;
  msg: string;
  [field: string]: unknown;
}

/**
 * How Node runs what is shipped: a small young generation, for most of what it holds is long-lived, and a heap
 * that grows by little beyond what is in use. With 10,000 ENIs that is 180 MiB instead of 290, for three more
 * CPU seconds at the start and two a resync. No source maps: the bundle's map costs 175 MiB of memory as soon
 * as a stack is logged.
 */
export const NODE_FLAGS = ['--max-semi-space-size=2', '--optimize-for-size'];

/**
 * glibc keeps what is freed for each thread; most of what a listing needs is freed again. With two arenas
 * instead of eight a core, 10,000 ENIs take 20 MiB less.
 */
export const PROCESS_ENV = { MALLOC_ARENA_MAX: '2' };

/** The bundle that is shipped, in the folder of this compiled module. */
const SHIPPED = fileURLToPath(new URL('../../bundle/eni-operator.mjs', import.meta.url));

/** Lines of the log that are kept for those who ask what happened. */
const KEPT_LINES = 20_000;

/** The controller as it is shipped, in a process of its own. */
export class ControllerProcess {
  readonly lines: string[] = [];
  private readonly exited: Promise<number | null>;

  private constructor(
    private readonly child: ChildProcess,
    onLine: (line: string) => void,
  ) {
    this.exited = once(child, 'exit').then(([code]) => code as number | null);
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) {
        createInterface({ input: stream }).on('line', (line) => {
          this.lines.push(line);
          if (this.lines.length > KEPT_LINES) {
            this.lines.shift();
          }
          onLine(line);
        });
      }
    }
  }

  static start(options: ControllerProcessOptions): ControllerProcess {
    const { kubeconfigPath, ec2Url, region, env, onLine = () => {} } = options;
    const program = options.program ?? SHIPPED;
    const child = spawn(process.execPath, [...NODE_FLAGS, program], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH ?? '',
        HOME: process.env.HOME ?? '',
        COMPONENT: 'controller',
        KUBECONFIG: kubeconfigPath,
        AWS_REGION: region,
        AWS_ENDPOINT_URL_EC2: ec2Url,
        AWS_ACCESS_KEY_ID: 'simulator',
        AWS_SECRET_ACCESS_KEY: 'simulator',
        AWS_EC2_METADATA_DISABLED: 'true',
        LOG_FORMAT: 'json',
        // Several may run on one machine.
        METRICS_ADDRESS: '0',
        HEALTH_ADDRESS: '0',
        ...PROCESS_ENV,
        ...env,
      },
    });
    return new ControllerProcess(child, onLine);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
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
