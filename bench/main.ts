import { writeFile } from 'node:fs/promises';
import { Argument, Command, InvalidArgumentError } from 'commander';
import { interrupted } from '../tools/stage/command-line.js';
import { GO_CONTROLLER } from './baseline.js';
import type { MeasuredProgram } from './measured-program.js';
import { readCpuProfile } from './profile/cpu-profile.js';
import { profileFile } from './profile/profile-file.js';
import { agentReport, agentRows } from './reports/agent.js';
import { profileReport } from './reports/profile.js';
import { scaleReport, scaleRows } from './reports/scale.js';
import { report, scenarioRows } from './reports/scenarios.js';
import { shareReport, shareRows } from './reports/share.js';
import { legend } from './reports/table.js';
import type { ScenarioResult, ShareResult } from './results.js';
import { runAgent } from './run-agent.js';
import { runScale } from './run-scale.js';
import { runScenario } from './run-scenario.js';
import { runShare } from './run-share.js';
import { parseScenario, type Scenario } from './scenario.js';
import { type RunKind, type StoredResults, storedResults } from './stored-results.js';

interface Options {
  program?: string;
  json?: string;
  compare?: string;
  /** A folder. */
  profile?: string;
}

/** Larger ones take minutes. */
const DEFAULT_SCENARIOS = ['10x1', '50x2', '100x2'].map((text) => parseScenario(text));

const program = new Command('npm run bench --')
  .description(
    'Measures the shipped controller with its default settings, and compares it with the time that EC2 alone needs. Runs a real kube-apiserver, and a simulated EC2 with the documented request rates.',
  )
  .argument(
    '[scenario...]',
    `NODESxNODEENIS, such as 500x2 (default: ${DEFAULT_SCENARIOS.map(({ name }) => name).join(' ')})`,
    (text: string, earlier: Scenario[] = []) => [...earlier, parseScenario(text)],
  )
  .option(
    '--quiet-seconds <number>',
    'how long to measure it with nothing to do',
    parseSeconds,
    120,
  )
  .option('--program <file>', 'the controller to measure (default: the shipped bundle)')
  .option('--json <file>', 'also write all results to this file')
  .option(
    '--compare <file>',
    'show the results that --json wrote to this file beside the new ones, with the change of the numbers shown',
  )
  .option(
    '--profile <dir>',
    'also write a CPU profile of each run (.cpuprofile) to this folder, and print where its time went; the profiler takes CPU time too',
  )
  .addHelpText(
    'after',
    `
A column is a run: NODES nodes, each selected by NODEENIS NodeENIs. Where the Go controller was measured in
the same run, its published numbers are beside. The rows:
${legend(scenarioRows([]))}`,
  )
  .action(async (given: Scenario[], options: Options & { quietSeconds: number }) => {
    const scenarios = given.length > 0 ? given : DEFAULT_SCENARIOS;
    const earlier = await earlierResults('scenarios', options);
    const results: ScenarioResult[] = [];
    try {
      for (const scenario of scenarios) {
        const run = { quietSeconds: options.quietSeconds, scenario, ...watching() };
        results.push(
          await profiled(scenario.name, options, (measured) =>
            runScenario({ ...run, ...measured }),
          ),
        );
      }
    } finally {
      // Report what was measured before a failure.
      if (results.length > 0) {
        await publish(report(results, GO_CONTROLLER, earlier), results, options);
      }
    }
  });

program
  .command('scale')
  .description(
    'Starts the controller in a large cluster that has all its ENIs, and measures its memory, CPU time and requests. EC2 answers without delay.',
  )
  .addArgument(
    new Argument('[scenario]', 'NODESxNODEENIS')
      .argParser(parseAnySize)
      .default(parseAnySize('5000x2'), '5000x2'),
  )
  .addHelpText('after', `\nThe rows:\n${legend(scaleRows())}`)
  .action(async (scenario: Scenario) => {
    const options = program.opts<Options>();
    const earlier = await earlierResults('scale', options);
    const run = { scenario, ...watching() };
    const result = await profiled(`scale-${scenario.name}`, options, (measured) =>
      runScale({ ...run, ...measured }),
    );
    await publish(scaleReport(result, earlier), result, options);
  });

program
  .command('share')
  .description(
    'Lets another user of the account call EC2 at half of its rates while the controller works: once with EC2_BUDGET_SHARE=1, and once with EC2_BUDGET_SHARE=0.5.',
  )
  .addArgument(
    new Argument('[scenario]', 'NODESxNODEENIS')
      .argParser((text) => parseScenario(text))
      .default(parseScenario('40x2'), '40x2'),
  )
  .addHelpText('after', `\nThe rows:\n${legend(shareRows([]))}`)
  .action(async (scenario: Scenario) => {
    const options = program.opts<Options>();
    const earlier = await earlierResults('share', options);
    const watch = watching();
    const results: ShareResult[] = [];
    for (const share of [1, 0.5]) {
      const run = { ...watch, scenario, share };
      results.push(
        await profiled(`share-${scenario.name}-${share}`, options, (measured) =>
          runShare({ ...run, ...measured }),
        ),
      );
    }
    await publish(shareReport(results, earlier), results, options);
  });

program
  .command('agent')
  .description(
    "Lets devices appear on a host with the shipped node agent, and measures how soon each is up, and the agent's CPU time and memory. Needs root and iproute2's `ip`.",
  )
  .addHelpText('after', `\nThe rows:\n${legend(agentRows())}`)
  .action(async () => {
    const options = program.opts<Options & { quietSeconds: number }>();
    const earlier = await earlierResults('agent', options);
    const run = { quietSeconds: options.quietSeconds, ...watching() };
    const result = await profiled('agent', options, (measured) =>
      runAgent({ ...run, ...measured }),
    );
    await publish(agentReport(result, earlier), result, options);
  });

/** Prints how far the run is, and ends it at Ctrl-C or SIGTERM so that no process stays behind. */
function watching() {
  return {
    signal: interrupted(),
    progress: (line: string) => console.error(`  ${line}`),
  };
}

/** What to compare with, read before the run that takes minutes. @throws StoredResultsError */
async function earlierResults<K extends RunKind>(
  kind: K,
  { compare }: Options,
): Promise<StoredResults[K] | undefined> {
  return compare === undefined ? undefined : storedResults(compare, kind);
}

/** Measures the program that the options name, and prints the run's CPU profile where they ask for one. */
async function profiled<T>(
  name: string,
  { program, profile }: Options,
  measure: (program: MeasuredProgram) => Promise<T>,
): Promise<T> {
  if (profile === undefined) return measure({ program });
  const { path, nodeFlags } = profileFile(profile, name);
  const result = await measure({ program, nodeFlags });
  console.log(profileReport(name, await readCpuProfile(path)));
  return result;
}

async function publish(text: string, results: unknown, { json }: Options): Promise<void> {
  console.log(text);
  if (json !== undefined) {
    await writeFile(json, `${JSON.stringify(results, undefined, 2)}\n`);
  }
}

function parseAnySize(text: string): Scenario {
  return parseScenario(text, { eniQuota: Number.POSITIVE_INFINITY });
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 0)) {
    throw new InvalidArgumentError('It must be a number of seconds.');
  }
  return seconds;
}

program.parseAsync().catch((error: unknown) => {
  program.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
});
