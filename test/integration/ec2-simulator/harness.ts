import { EC2Client, type EC2ClientConfig } from '@aws-sdk/client-ec2';
import { expect } from 'chai';
import type { Clock, Timer } from '../../../src/runtime/clock.js';
import { Ec2Simulator, type SimulatorOptions } from '../../../tools/ec2-simulator/index.js';

/** Time that stands still until it is told to pass. */
export class ManualClock implements Clock {
  private time = Date.UTC(2026, 0, 1);
  private readonly timers = new Set<{ at: number; callback: () => void }>();

  now(): number {
    return this.time;
  }

  after(ms: number, callback: () => void): Timer {
    const timer = { at: this.time + ms, callback };
    this.timers.add(timer);
    return { cancel: () => void this.timers.delete(timer) };
  }

  advance(ms: number): void {
    this.time += ms;
    for (const timer of [...this.timers].sort((a, b) => a.at - b.at)) {
      if (timer.at <= this.time && this.timers.delete(timer)) {
        timer.callback();
      }
    }
  }
}

/** A simulator on a clock of its own and the real SDK against it, one attempt a call. */
export class Harness {
  private constructor(
    readonly simulator: Ec2Simulator,
    readonly clock: ManualClock,
    readonly ec2: EC2Client,
  ) {}

  static async start(options: SimulatorOptions = {}): Promise<Harness> {
    const clock = new ManualClock();
    const simulator = await Ec2Simulator.start({ clock, ...options });
    return new Harness(simulator, clock, clientOf(simulator.url));
  }

  async stop(): Promise<void> {
    this.ec2.destroy();
    await this.simulator.stop();
  }
}

export function clientOf(url: string, config: EC2ClientConfig = {}): EC2Client {
  return new EC2Client({
    endpoint: url,
    region: 'us-west-2',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
    maxAttempts: 1,
    ...config,
  });
}

/** How a call failed, as the SDK tells it. */
export interface Failure {
  code: string;
  message: string;
  status: number | undefined;
}

/** The failure of a call that must fail. */
export async function failureOf(call: Promise<unknown>): Promise<Failure> {
  const error = await call.then(
    () => expect.fail('the call succeeded'),
    (err: Error & { $metadata?: { httpStatusCode?: number } }) => err,
  );
  return {
    code: error.name,
    message: error.message,
    status: error.$metadata?.httpStatusCode,
  };
}

/** The value, which must be there. */
export function present<T>(value: T | undefined): T {
  if (value === undefined) {
    expect.fail('expected a value');
  }
  return value;
}
