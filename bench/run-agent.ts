import { type Clock, sleep, systemClock } from '../src/runtime/clock.js';
import type { AgentResult } from './agent-result.js';
import { AgentRounds, type Rounds } from './agent-rounds.js';
import { AgentStage } from './agent-stage.js';
import type { MeasuredProgram } from './measured-program.js';
import type { Progress } from './phase.js';

export interface AgentRunOptions extends MeasuredProgram {
  /** Devices that appear one by one. Default: 10, in 10 rounds. */
  single?: Rounds;
  /** Devices that appear at once. Default: 16, as many as a large instance has slots, in 5 rounds. */
  together?: Rounds;
  /** How long the agent is watched with nothing to do. */
  quietSeconds: number;
  progress: Progress;
  /** Ends the run. */
  signal: AbortSignal;
  /** Default: the machine's. */
  clock?: Clock;
  /** Between 0 and 1; default: Math.random. */
  random?: () => number;
}

/** So that the quiet time has a look at all interfaces in it, as every hour has; the default is every 5 minutes. */
const RESYNC_PERIOD = '1m';
/** Between two devices, in milliseconds. */
const PAUSE = { min: 50, max: 250 };
/** What a device leads to is over after that time, in milliseconds. */
const AFTERMATH_MS = 1_000;

/**
 * Lets devices appear on a host whose ENIAttachments are there already, and measures how soon each is up, and what
 * that and having nothing to do takes of the agent.
 * @throws NoNamespacesError; ComponentEndedError; DeviceNotSeenError; the signal's reason
 */
export async function runAgent(options: AgentRunOptions): Promise<AgentResult> {
  const { quietSeconds, progress, clock = systemClock, random = Math.random } = options;
  const { single = { devices: 10, rounds: 10 }, together = { devices: 16, rounds: 5 } } = options;
  progress('starting an API server, a host and its agent');
  await using stage = await AgentStage.start({ ...options, env: { RESYNC_PERIOD } });
  const { signal } = stage.run;
  const { rss: started } = await stage.usage();
  const rounds = AgentRounds.create({ stage, clock });

  progress(`${single.devices} devices one by one, ${single.rounds} times`);
  const oneByOne = await rounds.measure(single, async (devices) => {
    const delays: number[] = [];
    for (const device of devices) {
      await sleep(clock, PAUSE.min + random() * (PAUSE.max - PAUSE.min), signal);
      delays.push(...(await stage.appear([device])));
    }
    return delays;
  });
  progress(`${together.devices} devices at once, ${together.rounds} times`);
  const atOnce = await rounds.measure(together, (devices) => stage.appear(devices));

  progress(`watching it for ${quietSeconds} s with nothing to do`);
  await sleep(clock, AFTERMATH_MS, signal);
  await stage.cost();
  await sleep(clock, quietSeconds * 1_000, signal);
  const rest = { seconds: quietSeconds, enis: together.devices, ...(await stage.cost()) };
  const { rss, peakRss } = await stage.usage();
  return {
    oneByOne,
    atOnce: { ...atOnce, together: together.devices },
    rest,
    memory: { started, rss, peakRss },
  };
}
