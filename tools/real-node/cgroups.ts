import { access, mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** cgroup v1's controllers that kubelet and runc need, and the hierarchy without one that systemd keeps. */
const CONTROLLERS = ['cpu', 'cpuacct', 'cpuset', 'memory', 'devices', 'freezer', 'blkio', 'pids'];
const ROOT = '/sys/fs/cgroup';

/** Whether the machine has cgroup v1, each controller in a hierarchy of its own. */
export async function hasCgroupV1(): Promise<boolean> {
  return access(join(ROOT, 'memory')).then(
    () => true,
    () => false,
  );
}

/**
 * Makes a cgroup in every hierarchy, for what kubelet makes below it.
 * @param name with slashes where it is in another one, which must exist
 */
export async function makeCgroup(name: string): Promise<void> {
  if (!(await hasCgroupV1())) {
    await mkdir(join(ROOT, name), { recursive: true });
    const enabled = '+cpu +cpuset +io +memory +pids';
    await writeFile(join(ROOT, name, '..', 'cgroup.subtree_control'), enabled);
    await writeFile(join(ROOT, name, 'cgroup.subtree_control'), enabled);
    return;
  }
  for (const hierarchy of await hierarchies()) {
    await mkdir(join(hierarchy, name), { recursive: true });
  }
  // A new one has none of either, and takes no process.
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    const all = await readFile(join(ROOT, 'cpuset', file));
    await writeFile(join(ROOT, 'cpuset', name, file), all);
  }
}

/** Removes a cgroup and those in it, from every hierarchy. What runs in it must have ended. */
export async function removeCgroup(name: string): Promise<void> {
  for (const hierarchy of await hierarchies()) await removeTree(join(hierarchy, name));
}

async function hierarchies(): Promise<string[]> {
  if (!(await hasCgroupV1())) return [ROOT];
  const mounted = await readdir(ROOT);
  return [...CONTROLLERS, 'systemd']
    .filter((name) => mounted.includes(name))
    .map((name) => join(ROOT, name));
}

async function removeTree(dir: string): Promise<void> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(dir, entry.name));
  await rmdir(dir).catch(() => undefined);
}
