import { resolve } from 'node:path';

/** Where Node writes the CPU profile of a run when the program ends, and the flags for that. */
export interface ProfileFile {
  path: string;
  nodeFlags: readonly string[];
}

/** @param run names the run: the file is `<run>.cpuprofile` */
export function profileFile(folder: string, run: string): ProfileFile {
  const name = `${run}.cpuprofile`;
  return {
    path: resolve(folder, name),
    nodeFlags: ['--cpu-prof', `--cpu-prof-dir=${resolve(folder)}`, `--cpu-prof-name=${name}`],
  };
}
