import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually } from '../../support/eventually.js';

const MAIN = fileURLToPath(new URL('../../../tools/demo/main.js', import.meta.url));
const run = promisify(execFile);

export interface ProcessRow {
  pid: number;
  command: string;
}

/** The demo as a program, its output, and the processes below it. */
export class DemoProcess {
  output = '';
  private readonly closed: Promise<number | null>;

  private constructor(
    private readonly child: ChildProcessByStdio<null, Readable, Readable>,
    /** Where it may have temporary files. */
    private readonly temporary: string,
  ) {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
    this.closed = new Promise((resolve) => {
      child.once('close', (code) => resolve(code));
    });
  }

  static start(args: readonly string[], env: Record<string, string> = {}): DemoProcess {
    const temporary = mkdtempSync(join(tmpdir(), 'eni-demo-test-'));
    return new DemoProcess(
      spawn(process.execPath, ['--enable-source-maps', MAIN, ...args], {
        stdio: ['ignore', 'pipe', 'pipe'],
        // Colours are for terminals; those of the terminal that runs the tests do not apply here.
        env: { ...process.env, FORCE_COLOR: undefined, TMPDIR: temporary, ...env },
        // A process group, as a shell makes it.
        detached: true,
      }),
      temporary,
    );
  }

  /** Resolves once the output matches. @throws where the demo ends first, or takes too long */
  async says(pattern: RegExp): Promise<void> {
    await eventually(() => {
      if (!pattern.test(this.output)) {
        throw new Error(`${pattern} is not in:\n${this.output}`);
      }
    }, 60_000);
  }

  /** Resolves with the exit code; null: ended by a signal. */
  exitCode(): Promise<number | null> {
    return this.closed;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** As a terminal sends it: to the demo, and to all of its group. */
  signalGroup(signal: NodeJS.Signals): void {
    process.kill(-(this.child.pid ?? 0), signal);
  }

  /** Nothing reads what it prints any more. */
  closeOutput(): void {
    this.child.stdout.destroy();
  }

  /** All that runs because of the demo, at this moment. */
  async descendants(): Promise<ProcessRow[]> {
    const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=,args=']);
    const rows = stdout.split('\n').flatMap((line) => {
      const [, pid, ppid, command = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
      return pid ? [{ pid: Number(pid), ppid: Number(ppid), command }] : [];
    });
    const below = (parent: number): ProcessRow[] =>
      rows
        .filter(({ ppid }) => ppid === parent)
        .flatMap(({ pid, command }) => [{ pid, command }, ...below(pid)]);
    return below(this.child.pid ?? 0);
  }

  /** Names of its temporary files and folders that there are. */
  files(): Promise<string[]> {
    return readdir(this.temporary);
  }

  /** Names of its network namespaces that there are. */
  async namespaces(): Promise<string[]> {
    const named = await readdir('/run/netns').catch(() => []);
    return named.filter((name) => name.includes(`-${this.child.pid}-`));
  }

  /** Ends it, and takes away what a test leaves. */
  async dispose(): Promise<void> {
    this.signal('SIGKILL');
    await this.closed;
    await rm(this.temporary, { recursive: true, force: true });
  }
}

/** Those of the processes that still run. */
export function alive(processes: readonly ProcessRow[]): ProcessRow[] {
  return processes.filter(({ pid }) => existsAsProcess(pid));
}

function existsAsProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
