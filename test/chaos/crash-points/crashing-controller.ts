import { sleep, systemClock } from '../../../src/runtime/clock.js';
import { ComponentEndedError } from '../../../tools/stage/component-process.js';
import { ControllerProcess } from '../../../tools/stage/controller-process.js';
import { CrashGate } from './crash-gate.js';
import type { CrashPoint, Write } from './crash-point.js';
import { GatedProxy } from './gated-proxy.js';
import { Ledger } from './ledger.js';
import type { Rig } from './rig.js';
import { ec2Write, kubernetesWrite } from './write-name.js';

/**
 * A late request reaches its server so long after the next controller has begun to work (milliseconds). Within
 * the consistency window, also on a busy machine: for what comes after it there is the orphans' cleanup alone.
 */
const LATE_BY_MS = 500;
/** Lines of each process's log that are shown of a trial that failed. */
const SHOWN_LINES = 12;

export interface CrashingControllerOptions {
  rig: Rig;
  ec2Url: string;
  region: string;
  env: Readonly<Record<string, string>>;
  /** Unset: it is not killed. */
  point?: CrashPoint | undefined;
  /** What happens between its death and its next start. */
  whileDown: () => Promise<void>;
}

interface Parts {
  gate: CrashGate;
  ledger: Ledger;
  /** Starts a process that knows the proxies only. */
  launch: () => ControllerProcess;
  whileDown: () => Promise<void>;
  /** Resolved once the second process is at work. */
  returned: PromiseWithResolvers<void>;
}

/** The shipped controller between two proxies: killed once, at its crash point, and started again. */
export class CrashingController implements AsyncDisposable {
  private readonly processes: ControllerProcess[] = [];
  private failure: unknown;
  private isBack = false;
  private isWanted = true;

  private constructor(
    private readonly parts: Parts,
    private readonly undo: AsyncDisposableStack,
  ) {
    this.live().catch((error: unknown) => {
      this.failure ??= error;
    });
  }

  static async start(options: CrashingControllerOptions): Promise<CrashingController> {
    const { rig, ec2Url, region, env, point, whileDown } = options;
    await using undo = new AsyncDisposableStack();
    const gate = new CrashGate({ clock: systemClock, point });
    const ledger = new Ledger();
    const returned = Promise.withResolvers<void>();
    const lateArrival = async (): Promise<void> => {
      await returned.promise;
      await sleep(systemClock, LATE_BY_MS);
    };
    const ec2 = undo.use(
      await GatedProxy.start({
        gate,
        lateArrival,
        upstream: { origin: ec2Url },
        writeIn: ec2Write,
        onAnswer: (write, answer) => ledger.ec2Answered(write, answer),
      }),
    );
    const kubernetes = undo.use(
      await GatedProxy.start({
        gate,
        lateArrival,
        upstream: rig.upstream,
        serving: rig.serving,
        writeIn: kubernetesWrite,
        onAnswer: (write, answer) => ledger.kubernetesAnswered(write, answer),
      }),
    );
    const kubeconfigPath = await rig.kubeconfigFor(kubernetes.url);
    const launch = (): ControllerProcess =>
      ControllerProcess.start({
        kubeconfigPath,
        ec2Url: ec2.url,
        region,
        env,
        ...(rig.program === undefined ? {} : { program: rig.program }),
      });
    return new CrashingController({ gate, ledger, launch, whileDown, returned }, undo.move());
  }

  /** All writes so far. */
  get writes(): readonly Write[] {
    return this.parts.gate.writes;
  }

  /** What all its processes together have made. */
  get ledger(): Ledger {
    return this.parts.ledger;
  }

  /** Whether the crash point was met. */
  get hasCrashed(): boolean {
    return this.parts.gate.isMet;
  }

  /**
   * Whether no crash is under way: there was none, or the next process is at work and nothing of the first
   * is on its way to a server any more.
   * @throws ComponentEndedError; what failed while it was down
   */
  get isSteady(): boolean {
    if (this.failure !== undefined) {
      throw this.failure;
    }
    return this.isBack || !this.hasCrashed;
  }

  /** The last lines of each process's log. */
  get lastLines(): string[] {
    return this.processes.flatMap(({ lines }, index) => [
      ...(index > 0 ? ['-- killed, and started again --'] : []),
      ...lines.slice(-SHOWN_LINES),
    ]);
  }

  /** Ends it for good. */
  async stop(): Promise<void> {
    this.isWanted = false;
    await this.processes.at(-1)?.stop('SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.undo.disposeAsync();
  }

  private async live(): Promise<void> {
    const { gate, whileDown, returned } = this.parts;
    const first = this.launch();
    await gate.killed;
    await first.stop('SIGKILL');
    gate.bury();
    await whileDown();
    gate.reopen();
    if (!this.isWanted) {
      return;
    }
    await this.launch().started;
    returned.resolve();
    await gate.spent;
    this.isBack = true;
  }

  private launch(): ControllerProcess {
    const { gate, launch } = this.parts;
    const process = launch();
    const isFirst = this.processes.push(process) === 1;
    void process.ended().then((code) => {
      if (this.isWanted && !(isFirst && gate.isMet)) {
        this.failure ??= new ComponentEndedError('The controller', { code });
      }
    });
    return process;
  }
}
