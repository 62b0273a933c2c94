import { readFile } from 'node:fs/promises';

/** What a process holds and has spent. */
export interface ProcessUsage {
  /** Resident memory, MiB. */
  rss: number;
  /** The most resident memory that it ever had, MiB. */
  peakRss: number;
  /** CPU time of all its threads, in user mode and in the kernel, since its start. */
  cpuSeconds: number;
}

/** Ticks a second in /proc: Linux's USER_HZ, 100 on x86-64 and arm64. */
const USER_HZ = 100;

/** Reads /proc, which only Linux has. @throws where there is no such process, or no /proc. */
export async function processUsage(pid: number): Promise<ProcessUsage> {
  const [status, stat] = await Promise.all([
    readFile(`/proc/${pid}/status`, 'utf8'),
    readFile(`/proc/${pid}/stat`, 'utf8'),
  ]);
  return {
    rss: mebibytesOf(status, 'VmRSS'),
    peakRss: mebibytesOf(status, 'VmHWM'),
    cpuSeconds: cpuSecondsOf(stat),
  };
}

/** @param status proc_pid_status(5), whose sizes are in kB. */
export function mebibytesOf(status: string, field: 'VmRSS' | 'VmHWM'): number {
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
  return Number(kibibytes) / 1_024;
}

/** @param stat proc_pid_stat(5): the command's name, in parentheses, may itself have spaces and parentheses. */
export function cpuSecondsOf(stat: string): number {
  const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // Fields 14 and 15; the first after the name is field 3.
  const [userTicks, kernelTicks] = [afterName[11], afterName[12]];
  return (Number(userTicks) + Number(kernelTicks)) / USER_HZ;
}
