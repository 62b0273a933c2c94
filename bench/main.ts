import { writeFile } from 'node:fs/promises';
import { Argument, Command, InvalidArgumentError } from 'commander';
import { interrupted } from '../tools/stage/command-line.js';
import { GO_CONTROLLER } from './baseline.js';
import { agentReport, agentRows } from './reports/agent.js';
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

interface Options {
  program?: string;
  json?: string;
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
  .addHelpText(
    'after',
    `
A column is a run: NODES nodes, each selected by NODEENIS NodeENIs. Where the Go controller was measured in
the same run, its published numbers are beside. The rows:
${legend(scenarioRows([]))}`,
  )
  .action(async (given: Scenario[], options: Options & { quietSeconds: number }) => {
    const scenarios = given.length > 0 ? given : DEFAULT_SCENARIOS;
    const results: ScenarioResult[] = [];
    try {
      for (const scenario of scenarios) {
        results.push(await runScenario({ ...options, scenario, ...watching() }));
      }
    } finally {
      // Report what was measured before a failure.
      if (results.length > 0) {
        await publish(report(results, GO_CONTROLLER), results, options);
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
    const result = await runScale({ ...options, scenario, ...watching() });
    await publish(scaleReport(result), result, options);
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
    const watch = watching();
    const results: ShareResult[] = [];
    for (const share of [1, 0.5]) {
      results.push(await runShare({ ...options, ...watch, scenario, share }));
    }
    await publish(shareReport(results), results, options);
  });

program
  .command('agent')
  .description(
    "Lets devices appear on a host with the shipped node agent, and measures how soon each is up, and the agent's CPU time and memory. Needs root and iproute2's `ip`.",
  )
  .addHelpText('after', `\nThe rows:\n${legend(agentRows())}`)
  .action(async () => {
    const options = program.opts<Options & { quietSeconds: number }>();
    const result = await runAgent({ ...options, ...watching() });
    await publish(agentReport(result), result, options);
  });

/** Prints how far the run is, and ends it at Ctrl-C or SIGTERM so that no process stays behind. */
function watching() {
  return {
    signal: interrupted(),
    progress: (line: string) => console.error(`  ${line}`),
  };
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
