import { Command } from 'commander';
import { systemClock } from '../../../src/runtime/clock.js';
import { interrupted, wholeNumber } from '../../../tools/stage/command-line.js';
import { StageParts } from '../../../tools/stage/stage-parts.js';
import { runCampaign } from '../storms/campaign.js';

const program = new Command('npm run test:soak --')
  .description(
    'Runs storms of user actions, EC2 faults, kills and restarts against the shipped controller, generated from a seed. After each, EC2 must have the ENIs that the NodeENIs ask for, and no others.',
  )
  .option('--minutes <number>', 'start no storm after that time', wholeNumber, 30)
  .option('--storms <number>', 'run at most that many storms (default: no limit)', wholeNumber)
  .option(
    '--seed <number>',
    'seed of the first storm; each next storm has the next number',
    wholeNumber,
    1,
  )
  .option('--nodes <number>', 'nodes at the start of a storm', wholeNumber, 50)
  .option('--node-enis <number>', 'NodeENIs at the start of a storm', wholeNumber, 4)
  .option(
    '--rounds <number>',
    'pauses in a storm, in each of which everything must settle',
    wholeNumber,
    3,
  )
  .option('--steps <number>', 'at most that many actions before a pause', wholeNumber, 80)
  .option('--settle <seconds>', 'longest time in which everything must settle', wholeNumber, 300)
  .option(
    '--shrink <minutes>',
    'how long to search for a shorter storm that fails too',
    wholeNumber,
  )
  .option('--no-api-server-restarts', 'never restart the API server')
  .option('--program <file>', 'the controller to test (default: the shipped bundle)');

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
