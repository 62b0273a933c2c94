import { Command } from 'commander';
import { systemClock } from '../../../src/runtime/clock.js';
import { interrupted, wholeNumber } from '../../../tools/stage/command-line.js';
import { StageParts } from '../../../tools/stage/stage-parts.js';
import { runCampaign } from '../storms/campaign.js';

const program = new Command('npm run test:soak --')
  .description(
    'Storms of user actions, EC2 faults, kills and restarts on the shipped controller, decided by a seed; after each, EC2 must have what is asked for, and nothing else.',
  )
  .option('--minutes <number>', 'begin no storm after so long', wholeNumber, 30)
  .option('--storms <number>', 'at most so many storms (default: no limit)', wholeNumber)
  .option('--seed <number>', 'of the first storm; each next has the next number', wholeNumber, 1)
  .option('--nodes <number>', 'nodes at the beginning of a storm', wholeNumber, 50)
  .option('--node-enis <number>', 'NodeENIs at the beginning of a storm', wholeNumber, 4)
  .option('--rounds <number>', 'calms in a storm', wholeNumber, 3)
  .option('--steps <number>', 'at most so many actions before a calm', wholeNumber, 80)
  .option('--settle <seconds>', 'longest time until all is as asked for', wholeNumber, 300)
  .option('--shrink <minutes>', 'look so long for a shorter storm that fails too', wholeNumber)
  .option('--no-api-server-restarts', 'never restart the API server')
  .option('--program <file>', 'the controller, if not the bundle that is shipped');

interface Options {
  minutes: number;
  storms?: number;
  seed: number;
  nodes: number;
  nodeEnis: number;
  rounds: number;
  steps: number;
  settle: number;
  shrink?: number;
  apiServerRestarts: boolean;
  program?: string;
}

function replayOf(options: Options, seed: number): string {
  const { nodes, nodeEnis, rounds, steps, apiServerRestarts } = options;
  const restarts = apiServerRestarts ? '' : ' --no-api-server-restarts';
  return `npm run test:soak -- --seed ${seed} --storms 1 --nodes ${nodes} --node-enis ${nodeEnis} --rounds ${rounds} --steps ${steps}${restarts}`;
}

async function run(options: Options): Promise<void> {
  const signal = interrupted();
  await using parts = new StageParts();
  const controlPlane = await parts.controlPlane();
  const end = systemClock.now() + options.minutes * 60_000;
  let begun = systemClock.now();
  await runCampaign({
    controlPlane,
    program: options.program,
    signal,
    size: {
      nodes: options.nodes,
      nodeENIs: options.nodeEnis,
      rounds: options.rounds,
      stepsPerRound: options.steps,
      apiServerRestarts: options.apiServerRestarts,
    },
    seed: options.seed,
    settlesWithinMs: options.settle * 1_000,
    shrinkForMs: (options.shrink ?? 0) * 60_000,
    goesOn: (storms) => systemClock.now() < end && storms < (options.storms ?? Infinity),
    replay: (seed) => replayOf(options, seed),
    onStorm: (seed, { actions, enisChecked }) => {
      const seconds = ((systemClock.now() - begun) / 1_000).toFixed(0);
      begun = systemClock.now();
      console.log(`storm ${seed}: ${actions} actions, ${enisChecked} ENIs checked, ${seconds} s`);
    },
  });
}

try {
  await run(program.parse().opts<Options>());
} catch (error) {
  program.error(`test:soak: ${error instanceof Error ? error.message : String(error)}`);
}
