import type { BenchCluster } from './bench-cluster.js';
import { CONTROLLER_USER } from './conditions.js';
import { ec2CallsOf } from './measures/ec2-calls.js';
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
}
