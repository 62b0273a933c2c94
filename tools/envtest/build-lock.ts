import { access, readlink, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface BuildLockOptions {
  /** The folder to lock; it must exist. */
  dir: string;
  /** The files that the work makes in `dir`: a process that waited and finds them skips the work. */
  files: readonly string[];
  /** Called once, when another process holds the lock. */
  onWait?: (holder: number) => void;
  /** Milliseconds between looks at a lock that another process holds; 500 unset. */
  pollMs?: number;
  /** Ends the wait for another process. */
  signal?: AbortSignal | undefined;
}

/**
 * Calls `work` while holding the folder's lock, or returns without when another process did it.
 *
 * The lock spares work and promises no more: a lock whose holder died is broken, and two that
 * break it at the same time both work. So `work` must end in renames that can be repeated.
 */
export async function withBuildLock(
  { dir, files, onWait, pollMs = 500, signal }: BuildLockOptions,
  work: () => Promise<void>,
): Promise<void> {
  const lock = join(dir, 'lock');
  let waited = false;
  while (!(await acquire(lock))) {
    const holder = await holderOf(lock);
    if (holder === undefined) continue;
    if (!isAlive(holder)) {
      await rm(lock, { force: true });
      continue;
    }
    if (!waited) onWait?.(holder);
    waited = true;
    await delay(pollMs, undefined, { signal });
  }
  try {
    if (!(waited && (await allExist(dir, files)))) await work();
  } finally {
    await rm(lock, { force: true });
  }
}

/** Whether a process of this id runs, as far as this process can see. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and is another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** A symbolic link to our process id: made and filled in one step, unlike a file or a folder. */
async function acquire(lock: string): Promise<boolean> {
  try {
    await symlink(String(process.pid), lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Undefined when the lock has just been released. */
async function holderOf(lock: string): Promise<number | undefined> {
  const target = await readlink(lock).catch(() => undefined);
  return target === undefined ? undefined : Number(target);
}

async function allExist(dir: string, files: readonly string[]): Promise<boolean> {
  const found = files.map((file) => access(join(dir, file)));
  return Promise.all(found).then(
    () => true,
    () => false,
  );
}
