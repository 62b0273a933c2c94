/**
 * When the controller is killed, seen from one of its writes:
 * - `before`: the request never reaches the server;
 * - `unanswered`: the server has acted, and its answer never reaches the controller;
 * - `answered`: the controller has the answer, and none of its next requests reaches a server;
 * - `late`: the request is still under way when the controller dies, and reaches the server after the
 *   next one has started.
 */
export const MOMENTS = ['before', 'unanswered', 'answered', 'late'] as const;
export type Moment = (typeof MOMENTS)[number];

/** One write of a life: the `occurrence`-th (from 1) of those that have this name. */
export interface Write {
  name: string;
  occurrence: number;
}

export interface CrashPoint {
  write: Write;
  moment: Moment;
}

export function describeWrite({ name, occurrence }: Write): string {
  return occurrence === 1 ? name : `${name} #${occurrence}`;
}

export function describePoint({ write, moment }: CrashPoint): string {
  return `${moment} ${describeWrite(write)}`;
}

/** Each write at each moment. */
export function pointsOf(
  writes: readonly Write[],
  moments: readonly Moment[] = MOMENTS,
): CrashPoint[] {
  return writes.flatMap((write) => moments.map((moment) => ({ write, moment })));
}
