import type { Clock } from '../src/runtime/clock.js';
import type { BenchCluster } from './bench-cluster.js';
import { reach } from './goal.js';

/** The controller ended while it was being measured. */
export class ControllerEndedError extends Error {
  override readonly name = 'ControllerEndedError';

  constructor(code: number | null, lines: readonly string[]) {
    super(`The controller ended with ${code ?? 'a signal'}; its last lines:\n${lines.join('\n')}`);
  }
}

const KEPT_LINES = 10;

/** Aborts when the controller ends. */
export function controllerEnded({ controller }: BenchCluster): AbortSignal {
  const ended = new AbortController();
  void controller.ended().then((code) => {
    ended.abort(new ControllerEndedError(code, controller.lines.slice(-KEPT_LINES)));
  });
  return ended.signal;
}

/** Resolves once the controller's workers run. */
export async function untilStarted(
  { controller }: BenchCluster,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const count = (): number => controller.log.filter(({ msg }) => msg === 'Started').length;
  await reach({ what: 'controllers started', target: 1, count }, { clock, signal });
}
