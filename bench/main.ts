import { writeFile } from 'node:fs/promises';
import { Command, InvalidArgumentError } from 'commander';
import { GO_CONTROLLER } from './baseline.js';
import { report } from './report.js';
import type { ScenarioResult } from './results.js';
import { runScenario } from './run-scenario.js';
import { parseScenario, type Scenario } from './scenario.js';

const program = new Command('bench')
  .description(
    'Measures the shipped controller with its default settings against what EC2 alone would need: a real kube-apiserver, and a simulated EC2 with the documented request rates.',
  )
  .argument(
    '[scenario...]',
    'NODESxNODEENIS, such as 100x2 (default: 10x1 50x2)',
    (text: string, earlier: Scenario[] = []) => [...earlier, parseScenario(text)],
  )
  .option('--quiet-seconds <number>', 'watch it that long with nothing to do', parseSeconds, 120)
  .option('--json <file>', 'also write all results to this file')
  .addHelpText(
    'after',
    `
Times are seconds from just before the change was asked for until EC2 had answered its last write; the
floor is what EC2's request rates and latencies alone take. Calls and writes are counted until two
seconds after the NodeENIs said that the change was done. Published numbers of the Go controller stand
beside where there are some.`,
  );

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 0)) {
    throw new InvalidArgumentError('It must be a number of seconds.');
  }
  return seconds;
}

/** Aborts at the first Ctrl-C or SIGTERM, so that no process stays behind. */
function interrupted(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => controller.abort(new Error(`Ended by ${signal}`)));
  }
  return controller.signal;
}

async function main(): Promise<void> {
  program.parse();
  const { quietSeconds, json } = program.opts<{ quietSeconds: number; json?: string }>();
  const given = program.processedArgs[0] as Scenario[] | undefined;
  const scenarios = given ?? ['10x1', '50x2'].map(parseScenario);
  const signal = interrupted();
  const results: ScenarioResult[] = [];
  try {
    for (const scenario of scenarios) {
      results.push(await runScenario({ scenario, quietSeconds, signal, progress }));
    }
  } finally {
    // What was measured before a failure is worth having.
    await publish(results, json);
  }
}

function progress(line: string): void {
  console.error(`  ${line}`);
}

async function publish(results: readonly ScenarioResult[], json?: string): Promise<void> {
  if (results.length === 0) {
    return;
  }
  console.log(report(results, GO_CONTROLLER));
  if (json !== undefined) {
    await writeFile(json, `${JSON.stringify(results, undefined, 2)}\n`);
  }
}

main().catch((error: unknown) => {
  program.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
});
