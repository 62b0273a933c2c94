import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { runIsolated } from '../../tools/real-node/isolated.js';
import { prepare } from '../../tools/real-node/prepare.js';
import type { RealClusterOptions } from '../../tools/real-node/real-cluster.js';
import { missingForRealNodes } from '../../tools/real-node/requirements.js';
import { OPTIONS_VARIABLE } from './support/shared-cluster.js';

interface Settings {
  short: boolean;
  grep?: string;
}

const HERE = fileURLToPath(new URL('.', import.meta.url));
const MOCHA = 'node_modules/mocha/bin/mocha.js';
const NODES = 2;

const { short, grep } = new Command('e2e')
  .description('Tests the operator as it is deployed, on nodes with a kubelet.')
  .option('--short', 'only what every change is tested with', false)
  .option('--grep <pattern>', 'only tests whose title matches')
  .parse()
  .opts<Settings>();

const missing = await missingForRealNodes();
if (missing.length > 0) {
  console.log(`The end-to-end tests cannot run here: ${missing.join('; ')}.`);
  // In CI, a test that does not run is a test that fails.
  process.exit(process.env.CI ? 1 : 0);
}
process.exitCode = await runTests();

async function runTests(): Promise<number> {
  const artifacts = await prepare((line) => console.log(line));
  const dir = await mkdtemp(join(tmpdir(), 'eni-e2e-'));
  const cgroup = basename(dir);
  const cluster: RealClusterOptions = { artifacts, nodes: NODES, dir, cgroup };
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => interrupted.abort());
  }
  const folders = short ? ['short'] : ['short', 'full'];
  return runIsolated({
    command: [
      process.execPath,
      MOCHA,
      '--exit',
      '--require',
      join(HERE, 'support/report-failure.js'),
      ...(grep ? ['--grep', grep] : []),
      ...folders.map((folder) => join(HERE, folder, '**/*.e2e.js')),
    ],
    env: { ...process.env, [OPTIONS_VARIABLE]: JSON.stringify(cluster) },
    cgroup,
    dir,
    signal: interrupted.signal,
  });
}
