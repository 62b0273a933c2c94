import { type Clock, sleep } from '../src/runtime/clock.js';
import { createAttachments, deleteAttachments, reportedUp } from './agent-attachments.js';
import { type BenchDevice, benchDevice } from './agent-device.js';
import { type AgentCost, type Delays, delaysOf } from './agent-result.js';
import type { AgentStage } from './agent-stage.js';
import { reach } from './goal.js';

/** So many devices, so many times. */
export interface Rounds {
  devices: number;
  rounds: number;
}

/** Time in which the agent notices what is gone and what is new, in milliseconds. */
const SETTLE_MS = 1_000;

/** Each round begins on a host without devices, for no host has a hundred; the last one's stay. */
export class AgentRounds {
  private present: readonly BenchDevice[] = [];
  private made = 0;

  private constructor(
    private readonly stage: AgentStage,
    private readonly clock: Clock,
  ) {}

  static create({ stage, clock }: { stage: AgentStage; clock: Clock }): AgentRounds {
    return new AgentRounds(stage, clock);
  }

  /**
   * @param appear resolves with what each device took until it was up, in milliseconds
   * @returns the delays, and what the agent spent from the first device's appearance to its last report
   */
  async measure(
    { devices, rounds }: Rounds,
    appear: (devices: readonly BenchDevice[]) => Promise<number[]>,
  ): Promise<Delays & AgentCost> {
    const { stage, clock } = this;
    const { kube } = stage;
    const { signal } = stage.run;
    const delays: number[] = [];
    const sum: AgentCost = { cpuSeconds: 0, kubeWrites: 0 };
    for (let round = 0; round < rounds; round++) {
      await this.prepare(devices);
      await stage.cost();
      delays.push(...(await appear(this.present)));
      const count = () => reportedUp(kube);
      await reach({ what: 'interfaces reported', target: devices, count }, { clock, signal });
      const { cpuSeconds, kubeWrites } = await stage.cost();
      sum.cpuSeconds += cpuSeconds;
      sum.kubeWrites += kubeWrites;
    }
    return { ...delaysOf(delays), ...sum };
  }

  /** Removes what the round before left, and creates the ENIAttachments of this one's devices. */
  private async prepare(devices: number): Promise<void> {
    const { kube, run } = this.stage;
    const { cables, signal } = run;
    cables.plugOut(this.present);
    await deleteAttachments(this.present, kube);
    this.present = Array.from({ length: devices }, (_, index) =>
      benchDevice(this.made + index + 1),
    );
    this.made += devices;
    await createAttachments(this.present, kube);
    await sleep(this.clock, SETTLE_MS, signal);
  }
}
