import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';

/** A command that takes longer than this, in milliseconds, hangs. */
const COMMAND_TIMEOUT_MS = 10_000;

/**
 * Makes the namespace, and takes it away when standard input ends: because `delete` closed it, or because the
 * parent is dead, whatever it died of. What runs in the namespace ends with it.
 */
const KEEPER = `
command -v ip >/dev/null || { echo "there is no 'ip' command, iproute2's" >&2; exit 1; }
ip netns add "$1" || exit
echo made
exec 2>/dev/null
read -r line
while pids=$(ip netns pids "$1") && [ -n "$pids" ]; do kill -KILL $pids; sleep 0.02; done
ip netns del "$1"
`;

let created = 0;

/** A command for a namespace, or in it, was refused or failed. */
class NamespaceCommandError extends Error {
  override readonly name = 'NamespaceCommandError';

  constructor(
    readonly command: string,
    /** What it wrote to standard error. */
    readonly output: string,
  ) {
    super(`${command}: ${output.trim() || 'failed'}`);
  }
}

/**
 * A network namespace with its own devices, addresses, routes and rules; a new one has `lo` alone, down. It does
 * not outlive this process, and no process in it does. Needs root, and iproute2's `ip`.
 */
export class NetworkNamespace {
  private constructor(
    readonly name: string,
    private readonly keeper: ReturnType<typeof spawnKeeper>,
  ) {}

  /** @throws NamespaceCommandError where there can be none */
  static async create(purpose = 'host'): Promise<NetworkNamespace> {
    created += 1;
    const name = `eni-${purpose}-${process.pid}-${created}`;
    const keeper = spawnKeeper(name);
    const made = once(keeper.stdout, 'data').then(() => true);
    const ended = once(keeper, 'close').then(() => false);
    const problem = text(keeper.stderr);
    if (!(await Promise.race([made, ended]))) {
      throw new NamespaceCommandError(`ip netns add ${name}`, await problem);
    }
    letParentEnd(keeper);
    return new NetworkNamespace(name, keeper);
  }

  /**
   * Runs `ip` in it, its arguments as on a command line. @returns what it printed
   * @throws NamespaceCommandError
   */
  ip(line: string): Promise<string> {
    return this.exec('ip', line.split(' '));
  }

  /** @returns what the command printed @throws NamespaceCommandError */
  async exec(command: string, args: readonly string[]): Promise<string> {
    const child = spawn('ip', this.entering(command, args), {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: COMMAND_TIMEOUT_MS,
      detached: true,
    });
    const [[code], output, problem] = await Promise.all([
      once(child, 'close'),
      text(child.stdout),
      text(child.stderr),
    ]);
    if (code !== 0) {
      throw new NamespaceCommandError([command, ...args].join(' '), problem);
    }
    return output;
  }

  /** A process of its own in it: pipes for its input and output, our standard error. */
  spawn(command: string, args: readonly string[]): ChildProcessByStdio<Writable, Readable, null> {
    return spawn('ip', this.entering(command, args), {
      stdio: ['pipe', 'pipe', 'inherit'],
      // Its own process group: Ctrl-C on a terminal is the parent's to handle.
      detached: true,
    });
  }

  /** Ends what runs in it, and takes it away; idempotent. */
  async delete(): Promise<void> {
    const { keeper } = this;
    if (keeper.exitCode !== null || keeper.signalCode !== null) return;
    keeper.ref();
    const exited = once(keeper, 'exit');
    keeper.stdin.end();
    await exited;
  }

  private entering(command: string, args: readonly string[]): string[] {
    return ['netns', 'exec', this.name, command, ...args];
  }
}

/** @returns why there can be no namespaces here; undefined where there can. */
export async function whyNoNamespaces(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'this is not Linux';
  if (process.getuid?.() !== 0) return 'they need root';
  try {
    await (await NetworkNamespace.create('probe')).delete();
    return undefined;
  } catch (error) {
    return error instanceof NamespaceCommandError ? error.output.trim() : String(error);
  }
}

function spawnKeeper(name: string) {
  const keeper = spawn('/bin/sh', ['-c', KEEPER, 'keep-namespace', name], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  keeper.stdin.on('error', () => {});
  return keeper;
}

/** A namespace that is merely there must not keep a finished run from ending. */
function letParentEnd(keeper: ReturnType<typeof spawnKeeper>): void {
  keeper.unref();
  for (const stream of [keeper.stdin, keeper.stdout, keeper.stderr]) {
    if ('unref' in stream && typeof stream.unref === 'function') stream.unref();
  }
}
