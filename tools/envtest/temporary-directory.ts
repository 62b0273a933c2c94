import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Removes the directory when its standard input ends: because `remove` closed it, or because the
 * parent is dead. The files' writers may be dying at the same moment, so one pass can miss some.
 */
const REAPER = `
read -r line
until rm -rf "$1" 2>/dev/null && [ ! -e "$1" ]; do sleep 0.1; done
`;

/** A directory that does not outlive its process, not even one killed by SIGKILL. */
export class TemporaryDirectory {
  private constructor(
    readonly path: string,
    private readonly reaper: ReturnType<typeof spawnReaper>,
  ) {}

  /** Creates a directory, mode 0700, in the machine's folder for temporary files. */
  static async create(prefix: string): Promise<TemporaryDirectory> {
    const path = await mkdtemp(join(tmpdir(), prefix));
    return new TemporaryDirectory(path, spawnReaper(path));
  }

  /** Removes the directory and everything in it; idempotent. */
  async remove(): Promise<void> {
    if (this.reaper.exitCode !== null || this.reaper.signalCode !== null) return;
    this.reaper.ref();
    const exited = once(this.reaper, 'exit');
    this.reaper.stdin.end();
    await exited;
  }
}

function spawnReaper(path: string) {
  const reaper = spawn('/bin/sh', ['-c', REAPER, 'remove-directory', path], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // Its own process group: Ctrl-C on a terminal is the parent's to handle.
    detached: true,
  });
  reaper.stdin.on('error', () => {});
  reaper.unref();
  return reaper;
}
