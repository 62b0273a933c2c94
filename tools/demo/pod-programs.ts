import { terminalProgress } from '../envtest/build-progress.js';
import { GoProgramError } from '../go-program/go-program.js';
import { type CniPrograms, cniPrograms } from '../stage/host/cni-programs.js';
import type { Display } from './display.js';
import type { Lifeline } from './lifeline.js';

const INTRODUCTION =
  'Building Multus and two CNI plugins from source, once: about 5 minutes on 2 cores.';

/**
 * Builds what connects pods, and shows the progress on standard error. Where that is impossible, it says why, and
 * resolves with undefined.
 * @throws the lifeline's reason, once the build has ended
 */
export async function buildPrograms(options: {
  display: Display;
  lifeline: Lifeline;
}): Promise<CniPrograms | undefined> {
  const { display, lifeline } = options;
  try {
    return await buildWithProgress(lifeline);
  } catch (error) {
    if (!(error instanceof GoProgramError)) throw error;
    const why = `Multus and its plugins cannot be built: ${error.problem}`;
    display.say(`The pods are not shown, because ${why}.`, '');
    return undefined;
  }
}

async function buildWithProgress({ signal }: Lifeline): Promise<CniPrograms> {
  const progress = terminalProgress(process.stderr, INTRODUCTION);
  progress.begin();
  try {
    return await cniPrograms({ signal, onBuild: progress.step });
  } finally {
    progress.end();
  }
}
