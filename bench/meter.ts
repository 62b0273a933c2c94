import type { BenchCluster } from './bench-cluster.js';
import { CONTROLLER_USER } from './conditions.js';
import type { Write } from './floor.js';
import {
  difference,
  type Ec2Calls,
  ec2CallsOf,
  lastDoneAt,
  NO_CALLS,
} from './measures/ec2-calls.js';
import { kubeWritesOf } from './measures/kube-writes.js';
import { processUsage } from './measures/process-usage.js';
import type { Cost } from './results.js';

/** What has been asked and spent since the last reading. */
export class Meter {
  private cpuSeconds = 0;
  private ec2 = NO_CALLS;

  constructor(private readonly cluster: BenchCluster) {}

  /** The cost since the last reading, or since the start; the next one counts from here. */
  async read(): Promise<Cost> {
    const { ec2, auditLog, controller } = this.cluster;
    const [calls, lines, usage] = await Promise.all([
      ec2.calls(),
      auditLog.newLines(),
      processUsage(controller.pid),
    ]);
    const before: Ec2Calls = this.ec2;
    this.ec2 = ec2CallsOf(calls);
    const cpuSeconds = usage.cpuSeconds - this.cpuSeconds;
    this.cpuSeconds = usage.cpuSeconds;
    return {
      ec2: difference(this.ec2, before),
      kube: kubeWritesOf(lines, CONTROLLER_USER),
      cpuSeconds,
    };
  }

  /** All EC2 calls from the start to the last reading, no matter who made them. */
  get allCalls(): Ec2Calls {
    return this.ec2;
  }

  /** When EC2 last did such a write, in milliseconds since the epoch. */
  async lastDoneAt(write: Write): Promise<number | undefined> {
    return lastDoneAt(await this.cluster.ec2.recentCalls(), write);
  }
}
