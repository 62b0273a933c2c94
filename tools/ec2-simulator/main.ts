import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { VERSION } from '../../src/config/version.js';
import { ACTION_NAMES } from './action-names.js';
import { OptionsSpec, parseSpec } from './config/specs.js';
import { Ec2Simulator } from './simulator.js';

/** `create=300,attach=800` as numbers by name. */
function parsePairs(text: string): Record<string, number> {
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const [name = '', value = ''] = pair.split('=');
      if (name === '' || !/^\d+$/.test(value)) {
        throw new InvalidArgumentError(`'${pair}' is not NAME=MILLISECONDS`);
      }
      return [name, Number(value)];
    }),
  );
}

/** Latencies by action; a name also stands for the actions that begin with it: `create`, `describe`. */
function parseLatency(text: string): Record<string, number> {
  const latency: Record<string, number> = {};
  for (const [name, ms] of Object.entries(parsePairs(text))) {
    const actions = ACTION_NAMES.filter((action) =>
      action.toLowerCase().startsWith(name.toLowerCase()),
    );
    if (name !== 'default' && actions.length === 0) {
      throw new InvalidArgumentError(`no action begins with '${name}'`);
    }
    for (const action of name === 'default' ? ['default'] : actions) {
      latency[action] = ms;
    }
  }
  return latency;
}

function parseConsistency(text: string): { newInvisibleMs?: number; staleReadMs?: number } {
  const { new: newInvisibleMs, stale: staleReadMs, ...others } = parsePairs(text);
  if (Object.keys(others).length > 0) {
    throw new InvalidArgumentError("the names are 'new' and 'stale'");
  }
  return {
    ...(newInvisibleMs === undefined ? {} : { newInvisibleMs }),
    ...(staleReadMs === undefined ? {} : { staleReadMs }),
  };
}

function parseThrottling(text: string): boolean | { scale: number } {
  if (text === 'on' || text === 'off') {
    return text === 'on';
  }
  const scale = Number(text);
  if (!(scale > 0)) {
    throw new InvalidArgumentError("expected 'on', 'off' or a factor above 0");
  }
  return { scale };
}

const program = new Command('ec2-eni-simulator')
  .version(VERSION)
  .description(
    'Simulates the EC2 API for ENIs on loopback, for the AWS SDK, the AWS CLI and tests.',
  )
  .option('--port <port>', 'port to listen on; 0: any free port', Number)
  .option('--region <name>', 'Region that it simulates')
  .option('--account-id <id>', 'account that it simulates')
  .option(
    '--latency <pairs>',
    'milliseconds before a response: create=300,attach=800,describe=50',
    parseLatency,
  )
  .option(
    '--transition <pairs>',
    'milliseconds that a transition takes: attach=3000,detach=5000',
    parsePairs,
  )
  .option(
    '--consistency <pairs>',
    'milliseconds that reads lag: new=500,stale=300',
    parseConsistency,
  )
  .option(
    '--throttling <how>',
    "EC2's request rate limits: 'on', 'off' or a factor",
    parseThrottling,
  )
  .option('--config <file>', 'JSON file of options; options on the command line override it');

async function main(): Promise<void> {
  const { config, latency, ...flags } = program.parse().opts<{
    config?: string;
    latency?: Record<string, number>;
  }>();
  const file: unknown = config === undefined ? {} : JSON.parse(readFileSync(config, 'utf8'));
  const options = parseSpec(OptionsSpec, {
    ...parseSpec(OptionsSpec, file),
    ...flags,
    ...(latency ? { callLatency: latency } : {}),
  });
  const simulator = await Ec2Simulator.start(options);
  const region = options.region ?? 'us-west-2';
  console.log(
    `EC2 simulator at ${simulator.url} — try: AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x aws --region ${region} --endpoint-url ${simulator.url} ec2 describe-network-interfaces`,
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void simulator.stop());
  }
}

main().catch((err: unknown) => {
  program.error(err instanceof Error ? err.message : String(err));
});
