import { fileURLToPath } from 'node:url';
import { SimulatorControl } from '../tools/ec2-simulator/index.js';
import { SupervisedProcess } from '../tools/envtest/supervised-process.js';
import { LATENCY_MS, REGION } from './conditions.js';

const PROGRAM = fileURLToPath(new URL('../tools/ec2-simulator/main.js', import.meta.url));

/** An EC2 simulator in a process of its own, so that what it computes is nobody else's time. */
export interface SimulatorProcess {
  readonly control: SimulatorControl;
  stop(): Promise<void>;
}

/** @throws ProcessStartError */
export async function startSimulator(): Promise<SimulatorProcess> {
  let url: string | undefined;
  const latency = Object.entries(LATENCY_MS).map((pair) => pair.join('='));
  const simulator = await SupervisedProcess.start({
    name: 'ec2-simulator',
    command: process.execPath,
    args: [PROGRAM, '--region', REGION, '--throttling', 'on', '--latency', latency.join(',')],
    isHealthy: async () => url !== undefined,
    startTimeoutMs: 30_000,
    stopTimeoutMs: 5_000,
    onLine: (line) => {
      url ??= /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0];
    },
  });
  return { control: new SimulatorControl(url ?? ''), stop: () => simulator.stop() };
}
