import type { BenchCluster } from './bench-cluster.js';
import { CONTROLLER_USER } from './conditions.js';
import type { Write } from './floor.js';
import { ec2CallsOf, lastDoneAt } from './measures/ec2-calls.js';
import { kubeWritesOf } from './measures/kube-writes.js';
import { processUsage } from './measures/process-usage.js';
import type { Cost } from './results.js';

/** What has been asked and spent since the last reading. */
export class Meter {
  private cpuSeconds = 0;

  constructor(private readonly cluster: BenchCluster) {}

  /** The cost since the last reading, or since the start; the next one counts from here. */
  async read(): Promise<Cost> {
    const { ec2, auditLog, controller } = this.cluster;
    const [calls, lines, usage] = await Promise.all([
      ec2.calls(),
      auditLog.newLines(),
      processUsage(controller.pid),
    ]);
    await ec2.resetCounts();
    const cpuSeconds = usage.cpuSeconds - this.cpuSeconds;
    this.cpuSeconds = usage.cpuSeconds;
    return { ec2: ec2CallsOf(calls), kube: kubeWritesOf(lines, CONTROLLER_USER), cpuSeconds };
  }

  /** When EC2 last did such a write since the last reading, in milliseconds since the epoch. */
  async lastDoneAt(write: Write): Promise<number | undefined> {
    return lastDoneAt(await this.cluster.ec2.recentCalls(), write);
  }
}
