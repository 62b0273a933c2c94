import { readFile } from 'node:fs/promises';

/** What V8 writes for `--cpu-prof`, as far as it is used here. */
export interface CpuProfile {
  nodes: readonly ProfileNode[];
  /** The node that each sample was taken in. */
  samples: readonly number[];
  /** Microseconds from one sample to the next. */
  timeDeltas: readonly number[];
}

interface ProfileNode {
  id: number;
  callFrame: CallFrame;
}

/** Where a function begins; both numbers count from 0. */
export interface CallFrame {
  functionName: string;
  url: string;
  lineNumber: number;
  columnNumber: number;
}

/** @throws what reading and JSON.parse throw */
export async function readCpuProfile(file: string): Promise<CpuProfile> {
  return JSON.parse(await readFile(file, 'utf8')) as CpuProfile;
}

/** The time that was spent in each function itself, in seconds, without the time in which the process slept. */
export function selfTimes(profile: CpuProfile): { frame: CallFrame; seconds: number }[] {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const byFunction = new Map<string, { frame: CallFrame; seconds: number }>();
  profile.samples.forEach((id, index) => {
    const frame = frames.get(id);
    if (frame === undefined || frame.functionName === '(idle)') return;
    const { functionName, url, lineNumber, columnNumber } = frame;
    const key = JSON.stringify([functionName, url, lineNumber, columnNumber]);
    const entry = byFunction.get(key) ?? { frame, seconds: 0 };
    // A sample stands for the time until the next one.
    entry.seconds += (profile.timeDeltas[index + 1] ?? 0) / 1e6;
    byFunction.set(key, entry);
  });
  return [...byFunction.values()];
}
