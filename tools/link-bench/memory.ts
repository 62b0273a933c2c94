import { readFile } from 'node:fs/promises';

/** Resident memory of a process and its children, in MiB; shared pages count for each. */
export async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const own = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  const theirs = await Promise.all(
    children
      .split(' ')
      .filter(Boolean)
      .map((child) => residentMiB(Number(child))),
  );
  return theirs.reduce((sum, each) => sum + each, own);
}
