import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { NetworkNamespace } from '../stage/host/network-namespace.js';
import { run } from './command.js';

export interface MachineOptions {
  name: string;
  /** Where its disk is kept, on a file system that overlayfs can write to. */
  dir: string;
}

/** Folders whose changes stay on the machine's own disk. */
const OVERLAID = ['etc', 'opt', 'var'];
/** Where an overlay on an overlay would not do, or kubelet looks how much space there is. */
const BOUND = ['var/lib/containerd', 'var/lib/kubelet'];
/** What kubelet sets for the whole kernel; on this machine it sets files. */
const SYSCTLS = [
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
];

/**
 * Boots: prepares the mounts, says so, and from then on reaps what is orphaned until standard input ends. With this
 * process, the first of its PID namespace, everything on the machine ends.
 */
const INIT = `
set -e
disk=$1
mount -t tmpfs -o mode=755 tmpfs /run
for folder in ${OVERLAID.join(' ')}; do
  mount -t overlay -o "lowerdir=/$folder,upperdir=$disk/$folder/upper,workdir=$disk/$folder/work" overlay "/$folder"
done
for folder in ${BOUND.join(' ')}; do
  mkdir -p "/$folder"
  mount --bind "$disk/bound/$folder" "/$folder"
done
for sysctl in ${SYSCTLS.join(' ')}; do
  copy=/run/sysctl/$sysctl
  mkdir -p "$(dirname "$copy")"
  cat "/proc/sys/$sysctl" >"$copy"
  mount --bind "$copy" "/proc/sys/$sysctl"
done
mkdir -p /run/netns
mount --make-rshared /
echo booted
exec 3<&0
cat <&3 >/dev/null &
power=$!
exec 3<&- </dev/null
while kill -0 "$power" 2>/dev/null; do wait "$power" || true; done
`;

/**
 * A machine without hardware: network, mount and PID namespaces with a first process. It sees the files of the real
 * one; what it changes in /etc, /opt and /var stays on its disk, /run is empty at each start.
 */
export class Machine {
  private constructor(
    readonly namespace: NetworkNamespace,
    private readonly init: ReturnType<typeof spawnInit>,
    /** Of its first process, as this process sees it. */
    private readonly pid: number,
  ) {}

  /** Starts it, with the disk that it had before. It has one device, `lo`, which is up. */
  static async boot({ name, dir }: MachineOptions): Promise<Machine> {
    for (const folder of OVERLAID) {
      await mkdir(join(dir, folder, 'upper'), { recursive: true });
      await mkdir(join(dir, folder, 'work'), { recursive: true });
    }
    for (const folder of BOUND) await mkdir(join(dir, 'bound', folder), { recursive: true });
    const namespace = await NetworkNamespace.create(name);
    await namespace.ip('link set lo up');
    const init = spawnInit(namespace.name, dir);
    const booted = once(createInterface(init.stdout), 'line').then(() => true);
    const ended = once(init, 'exit').then(() => false);
    // Read, but for a boot that fails: at the machine's end it has a complaint of unshare's.
    const problem = text(init.stderr);
    if (!(await Promise.race([booted, ended]))) {
      await namespace.delete();
      throw new Error(`The machine ${name} does not boot: ${await problem}`);
    }
    const children = `/proc/${init.pid}/task/${init.pid}/children`;
    const pid = Number((await readFile(children, 'utf8')).trim());
    return new Machine(namespace, init, pid);
  }

  /** What a command has to begin with to run on it. */
  get launcher(): string[] {
    return ['nsenter', `--target=${this.pid}`, '--mount', '--net', '--pid'];
  }

  /** @returns what the command printed @throws CommandError */
  exec(command: string, ...args: string[]): Promise<string> {
    const [nsenter = '', ...where] = this.launcher;
    return run(nsenter, [...where, command, ...args]);
  }

  /** Ends everything on it at once, as a power failure does, and takes its devices away. */
  async powerOff(): Promise<void> {
    if (this.init.exitCode === null && this.init.signalCode === null) {
      const exited = once(this.init, 'exit');
      this.init.stdin.end();
      process.kill(this.pid, 'SIGKILL');
      await exited;
    }
    await this.namespace.delete();
  }
}

function spawnInit(networkNamespace: string, disk: string) {
  const unshare = ['unshare', '--mount', '--propagation=private', '--pid', '--fork'];
  const command = [...unshare, '--kill-child', '--mount-proc', '/bin/sh', '-c', INIT, 'init', disk];
  const init = spawn('nsenter', [`--net=/run/netns/${networkNamespace}`, ...command], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  init.stdin.on('error', () => {});
  return init;
}
