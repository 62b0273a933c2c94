import { once } from 'node:events';
import type { ComponentProcess } from '../stage/component-process.js';
import type { Lifeline } from './lifeline.js';

/** A component that takes longer to stop is killed, in milliseconds. */
const STOP_MS = 5_000;

/** A component ended while it was needed. */
export class ComponentEndedError extends Error {
  override readonly name = 'ComponentEndedError';

  constructor(
    /** As a sentence begins with it: `The controller`. */
    readonly component: string,
    /** Its exit code; null: ended by a signal. */
    readonly code: number | null,
  ) {
    super(`${component} ended ${code === null ? 'by a signal' : `with code ${code}`}.`);
  }
}

export interface ComponentOptions {
  /** As a sentence begins with it: `The controller`. */
  name: string;
  /** Starts the process, which is to tell each line of its log. */
  start(onLine: (line: string) => void): ComponentProcess;
  /** Fails when the component ends. */
  lifeline: Lifeline;
  /** Hears each line of its log. */
  onLine: (line: string) => void;
}

/** A part of the operator at work, in a process of its own. */
export class Component implements AsyncDisposable {
  // Also where the demo itself ends by a defect.
  private readonly kill = (): void => void this.child.stop('SIGKILL');

  private constructor(
    private readonly child: ComponentProcess,
    private readonly started: Promise<unknown>,
    private readonly lifeline: Lifeline,
  ) {
    process.once('exit', this.kill);
  }

  static start({ name, start, lifeline, onLine }: ComponentOptions): Component {
    const log = new EventTarget();
    const started = once(log, 'started');
    const component = start((line) => {
      onLine(line);
      if (line.includes('"msg":"Started"')) {
        log.dispatchEvent(new Event('started'));
      }
    });
    void component.ended().then((code) => lifeline.fail(new ComponentEndedError(name, code)));
    return new Component(component, started, lifeline);
  }

  /** Resolves once it is at work. @throws the reason of the lifeline */
  async untilStarted(): Promise<void> {
    await this.lifeline.guard(this.started);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const timer = setTimeout(this.kill, STOP_MS);
    await this.child.stop();
    clearTimeout(timer);
    process.removeListener('exit', this.kill);
  }
}
