import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Runs a command in namespaces of its own. The first process there reaps what is orphaned: the kernel ends a PID
 * namespace, such as a node's, only when all of its processes are reaped. It is killed when standard input ends: because
 * the parent closed it, or because the parent is dead, whatever it died of. With it end all others of its PID namespace,
 * and with them go the mounts and the network namespaces. The cgroups are removed here.
 */
const KEEPER = `
cgroups=$1; folder=$2; shift 2
exec 3<&0
unshare --net --mount --propagation private --pid --fork --kill-child --mount-proc \
  /bin/sh -c '"$@" & wait "$!"; exit "$?"' reaper "$@" </dev/null 3<&- &
child=$!
{ read -r line <&3; kill -KILL "$child"; } 2>/dev/null &
watcher=$!
wait "$child"
status=$?
kill -KILL "$watcher" 2>/dev/null
wait "$watcher" 2>/dev/null
for try in 1 2 3 4 5 6 7 8 9 10; do
  found=$(find /sys/fs/cgroup -depth -type d -path "*/$cgroups*" 2>/dev/null)
  [ -z "$found" ] && break
  echo "$found" | xargs rmdir 2>/dev/null
  sleep 0.2
done
rm -rf "$folder"
exit "$status"
`;

export interface IsolatedOptions {
  command: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  /** Name of the cgroup that the command makes its own in. */
  cgroup: string;
  /** The command's files; removed at the end. */
  dir: string;
  /** Kills the command when aborted. */
  signal: AbortSignal;
}

/**
 * Runs a command in network, mount and PID namespaces of its own. Whatever this process, the command or what it
 * started dies of: no process, mount, device, cgroup or file of it is left. Needs root.
 * @returns its exit code
 */
export async function runIsolated(options: IsolatedOptions): Promise<number> {
  const { command, env, cgroup, dir, signal } = options;
  const keeper = spawn('/bin/sh', ['-c', KEEPER, 'keep-namespaces', cgroup, dir, ...command], {
    stdio: ['pipe', 'inherit', 'inherit'],
    env,
    // Its own process group: Ctrl-C on a terminal is the parent's to handle.
    detached: true,
  });
  keeper.stdin.on('error', () => {});
  const end = (): void => void keeper.stdin.end();
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  const [code] = (await once(keeper, 'exit')) as [number | null];
  return code ?? 1;
}
