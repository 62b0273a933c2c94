import { ComponentEndedError, type ComponentProcess } from '../stage/component-process.js';
import type { Lifeline } from './lifeline.js';

/** A component that takes longer to stop is killed, in milliseconds. */
const STOP_MS = 5_000;

export interface ComponentOptions {
  /** As a sentence begins with it: `The controller`. */
  name: string;
  /** Starts the process, which passes each line of its log to `onLine`. */
  start(onLine: (line: string) => void): ComponentProcess;
  /** Fails when the component ends. */
  lifeline: Lifeline;
  /** Called for each line of its log. */
  onLine: (line: string) => void;
}

/** A controller or an agent, in a process of its own. */
export class Component implements AsyncDisposable {
  // Also where the demo itself ends by a defect.
  private readonly kill = (): void => void this.child.stop('SIGKILL');

  private constructor(
    private readonly child: ComponentProcess,
    private readonly lifeline: Lifeline,
  ) {
    process.once('exit', this.kill);
  }

  static start({ name, start, lifeline, onLine }: ComponentOptions): Component {
    const child = start(onLine);
    void child.ended().then((code) => lifeline.fail(new ComponentEndedError(name, { code })));
    return new Component(child, lifeline);
  }

  /** Resolves once it is at work. @throws the reason of the lifeline */
  async untilStarted(): Promise<void> {
    await this.lifeline.guard(this.child.started);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const timer = setTimeout(this.kill, STOP_MS);
    await this.child.stop();
    clearTimeout(timer);
    process.removeListener('exit', this.kill);
  }
}
