import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';

const open = new Map<string, WriteStream>();

/** The logs of a cluster's programs: one file each, which a restarted program goes on with. */
export const LogFile = {
  /** @returns what takes the lines of a program */
  lines(dir: string, name: string): (line: string) => void {
    const path = join(dir, `${name}.log`);
    const file = open.get(path) ?? createWriteStream(path, { flags: 'a' });
    open.set(path, file);
    return (line) => void file.write(`${line}\n`);
  },
};
