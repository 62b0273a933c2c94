import { Command, Option } from 'commander';
import { interrupted, wholeNumber } from '../../../tools/stage/command-line.js';
import { StageParts } from '../../../tools/stage/stage-parts.js';
import { runCampaign, type Tally } from './campaign.js';
import { MOMENTS, type Moment } from './crash-point.js';
import { report } from './report.js';
import { Rig } from './rig.js';
import { SCENARIOS } from './scenario.js';

const program = new Command('npm run test:crash --')
  .description(
    'Kills the shipped controller at each of its writes to EC2 and Kubernetes, starts it again, and checks that every ENIAttachment has one ENI, and that in the end nothing is left.',
  )
  .option('--scenario <text>', 'only scenarios whose names contain this', '')
  .option('--only <text>', 'only writes whose names contain this', '')
  .addOption(
    new Option('--moment <moments...>', 'only these moments (default: all)').choices(MOMENTS),
  )
  .option('--seed <number>', 'seed of the random choices', wholeNumber, 1)
  .option('--lanes <number>', 'trials in parallel, each with its own control plane', wholeNumber, 2)
  .option('--program <file>', 'the controller to test (default: the shipped bundle)');

interface Options {
  scenario: string;
  only: string;
  moment?: Moment[];
  seed: number;
  lanes: number;
  program?: string;
}

async function run(options: Options): Promise<Tally> {
  const signal = interrupted();
  await using parts = new StageParts();
  const rigs: Rig[] = [];
  for (let lane = 0; lane < options.lanes; lane++) {
    const controlPlane = await parts.controlPlane();
    rigs.push(parts.use(await Rig.create({ controlPlane, program: options.program })));
  }
  return await runCampaign({
    rigs,
    scenarios: SCENARIOS.filter(({ name }) => name.includes(options.scenario)),
    seed: options.seed,
    moments: options.moment,
    only: options.only,
    progress: (line) => console.log(line),
    signal,
  });
}

try {
  const tally = await run(program.parse().opts<Options>());
  console.log(report(tally));
  process.exitCode = tally.casualties.length > 0 || tally.tried === 0 ? 1 : 0;
} catch (error) {
  program.error(`test:crash: ${error instanceof Error ? error.message : String(error)}`);
}
