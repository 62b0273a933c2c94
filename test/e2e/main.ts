import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { goProgram } from '../../tools/go-program/go-program.js';
import { runIsolated } from '../../tools/real-node/isolated.js';
import { olderState } from '../../tools/real-node/older-state.js';
import { type Artifacts, prepare } from '../../tools/real-node/prepare.js';
import { PrerequisiteError, prerequisite } from '../../tools/real-node/prerequisite.js';
import type { RealClusterOptions } from '../../tools/real-node/real-cluster.js';
import { missingForRealNodes } from '../../tools/real-node/requirements.js';
import { HELM } from '../integration/chart/support/helm.js';
import { OPTIONS_VARIABLE } from './support/shared-cluster.js';

interface Settings {
  short: boolean;
  prepare: boolean;
  grep?: string;
}

const HERE = fileURLToPath(new URL('.', import.meta.url));
const MOCHA = 'node_modules/mocha/bin/mocha.js';
const NODES = 2;

/** Exit code of --prepare. */
const CANNOT_RUN = 3;

const {
  short,
  prepare: onlyPrepare,
  grep,
} = new Command('e2e')
  .description('Tests the operator as it is deployed, on nodes with a kubelet.')
  .option('--short', 'only what every change is tested with', false)
  .option(
    '--prepare',
    `only build what is missing; exit code ${CANNOT_RUN}: this machine cannot run them`,
    false,
  )
  .option('--grep <pattern>', 'only tests whose title matches')
  .parse()
  .opts<Settings>();

const missing = await missingForRealNodes();
if (missing.length > 0) cannotRun(missing.join('; '));
const artifacts = await prepareAll().catch((error: unknown) => {
  if (error instanceof PrerequisiteError) return cannotRun(error.message);
  throw error;
});
if (!onlyPrepare) process.exitCode = await runTests(artifacts);

/** What has no network to be fetched from later. */
async function prepareAll(): Promise<Artifacts> {
  const say = (line: string) => console.log(line);
  const artifacts = await prepare(say);
  if (short) return artifacts;
  await prerequisite('helm', () => goProgram(HELM));
  return { ...artifacts, older: await olderState(say) };
}

function cannotRun(why: string): never {
  console.log(`The end-to-end tests cannot run here: ${why}.`);
  if (onlyPrepare) process.exit(CANNOT_RUN);
  // In CI, a test that does not run is a test that fails.
  process.exit(process.env.CI ? 1 : 0);
}

async function runTests(artifacts: Artifacts): Promise<number> {
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
