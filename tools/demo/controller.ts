import { once } from 'node:events';
import { ControllerProcess } from '../stage/controller-process.js';
import type { Lifeline } from './lifeline.js';

/** A controller that takes longer to stop is killed, in milliseconds. */
const STOP_MS = 5_000;

/** The controller ended while it was needed. */
export class ControllerEndedError extends Error {
  override readonly name = 'ControllerEndedError';

  constructor(
    /** Its exit code; null: ended by a signal. */
    readonly code: number | null,
  ) {
    super(`The controller ended ${code === null ? 'by a signal' : `with code ${code}`}.`);
  }
}

export interface ControllerOptions {
  kubeconfigPath: string;
  ec2Url: string;
  region: string;
  /** Fails when the controller ends. */
  lifeline: Lifeline;
  /** Hears each line of the controller's log. */
  onLine: (line: string) => void;
}

/**
 * The controller, in a process of its own. Resolves once it is at work.
 * @throws the reason of the lifeline
 */
export async function startController(options: ControllerOptions): Promise<AsyncDisposable> {
  const { lifeline, onLine, ...environment } = options;
  const started = new EventTarget();
  const controller = ControllerProcess.start({
    ...environment,
    onLine: (line) => {
      onLine(line);
      if (line.includes('"msg":"Started"')) {
        started.dispatchEvent(new Event('started'));
      }
    },
  });
  // Also where the demo itself ends by a defect.
  const kill = (): void => void controller.stop('SIGKILL');
  process.once('exit', kill);
  void controller.ended().then((code) => lifeline.fail(new ControllerEndedError(code)));

  const stop = async (): Promise<void> => {
    const timer = setTimeout(kill, STOP_MS);
    await controller.stop();
    clearTimeout(timer);
    process.removeListener('exit', kill);
  };
  try {
    await lifeline.guard(once(started, 'started'));
    return { [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
