import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A command that takes longer than this, in milliseconds, hangs. */
const COMMAND_TIMEOUT_MS = 10_000;

let created = 0;

/**
 * A network namespace with its own devices, addresses, routes and rules; a new one has `lo` alone, down. Needs
 * root, and iproute2's `ip`.
 */
export class NetworkNamespace {
  private constructor(readonly name: string) {}

  static async create(purpose = 'host'): Promise<NetworkNamespace> {
    created += 1;
    const namespace = new NetworkNamespace(`eni-${purpose}-${process.pid}-${created}`);
    await run('ip', ['netns', 'add', namespace.name]);
    return namespace;
  }

  /** Runs `ip` in it, its arguments as on a command line. @returns what it printed @throws as execFile does */
  async ip(line: string): Promise<string> {
    return this.exec('ip', line.split(' '));
  }

  /** @returns what the command printed @throws as execFile does */
  async exec(command: string, args: readonly string[]): Promise<string> {
    const { stdout } = await run('ip', ['netns', 'exec', this.name, command, ...args], {
      timeout: COMMAND_TIMEOUT_MS,
    });
    return stdout;
  }

  /** A process of its own in it: pipes for its input and output, our standard error. */
  spawn(command: string, args: readonly string[]): ChildProcessByStdio<Writable, Readable, null> {
    return spawn('ip', ['netns', 'exec', this.name, command, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
  }

  /** Two devices that are one cable, the second in `other`. Both are down. */
  async addCable(name: string, other: NetworkNamespace, otherName: string): Promise<void> {
    await this.ip(`link add ${name} type veth peer name ${otherName} netns ${other.name}`);
  }

  /** Processes in it live on, and keep it; its name is free. */
  async delete(): Promise<void> {
    await run('ip', ['netns', 'del', this.name]);
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
    return String(error);
  }
}
