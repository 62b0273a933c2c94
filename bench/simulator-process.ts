import { fileURLToPath } from 'node:url';
import { SimulatorControl } from '../tools/ec2-simulator/index.js';
import { SupervisedProcess } from '../tools/envtest/supervised-process.js';
import { LATENCY_MS, REGION } from './conditions.js';

const PROGRAM = fileURLToPath(new URL('../tools/ec2-simulator/main.js', import.meta.url));

/** More ENIs than any run makes. */
const UNLIMITED = 1_000_000;

/** An EC2 simulator in a process of its own, so that its CPU time is not the controller's. */
export interface SimulatorProcess {
  readonly control: SimulatorControl;
  stop(): Promise<void>;
}

/**
 * @param options.limits whether EC2's request rates and the latencies of conditions.ts hold, and its quota;
 * without them it answers at once whatever is asked
 * @throws ProcessStartError
 */
export async function startSimulator({ limits }: { limits: boolean }): Promise<SimulatorProcess> {
  let url: string | undefined;
  const latency = Object.entries(LATENCY_MS).map((pair) => pair.join('='));
  const conditions = limits
    ? ['--throttling', 'on', '--latency', latency.join(',')]
    : ['--throttling', 'off'];
  const simulator = await SupervisedProcess.start({
    name: 'ec2-simulator',
    command: process.execPath,
    args: [PROGRAM, '--region', REGION, ...conditions],
    isHealthy: async () => url !== undefined,
    startTimeoutMs: 30_000,
    stopTimeoutMs: 5_000,
    onLine: (line) => {
      url ??= /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0];
    },
  });
  const control = new SimulatorControl(url ?? '');
  if (!limits) {
    await control.configure({ quota: { interfaces: UNLIMITED } });
  }
  return { control, stop: () => simulator.stop() };
}
