import type { RealNode } from '../../../tools/real-node/real-node.js';

/** The lines of a process's /proc/PID/status, by their name. @param pid on the node */
export async function processStatus(node: RealNode, pid: number): Promise<Map<string, string>> {
  const lines = (await node.exec('cat', `/proc/${pid}/status`)).trimEnd().split('\n');
  return new Map(lines.map((line) => line.split(/:\s*/, 2) as [string, string]));
}

/** In bytes. */
export interface ChargedMemory {
  /** What kubelet evicts by: all that is charged, without the page cache that is not in use. */
  workingSet: number;
  limit: number;
}

/** What the kernel charges a process's container. @param pid on the node */
export async function memoryOf(node: RealNode, pid: number): Promise<ChargedMemory> {
  const lines = (await node.exec('cat', `/proc/${pid}/cgroup`)).split('\n');
  const v1 = lines.find((line) => line.split(':')[1] === 'memory')?.split(':')[2];
  const v2 = lines.find((line) => line.startsWith('0::'))?.slice('0::'.length);
  const dir = v1 ? `/sys/fs/cgroup/memory${v1}` : `/sys/fs/cgroup${v2}`;
  const read = async (file: string): Promise<string> => node.exec('cat', `${dir}/${file}`);
  const usage = Number(await read(v1 ? 'memory.usage_in_bytes' : 'memory.current'));
  const limit = Number(await read(v1 ? 'memory.limit_in_bytes' : 'memory.max'));
  const key = v1 ? 'total_inactive_file' : 'inactive_file';
  const [, inactive = '0'] =
    new RegExp(`^${key} (\\d+)$`, 'm').exec(await read('memory.stat')) ?? [];
  return { workingSet: usage - Number(inactive), limit };
}
