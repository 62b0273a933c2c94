import { GoProgramError } from '../../tools/go-program/go-program.js';
import { type CniPrograms, cniPrograms } from '../../tools/stage/host/cni-programs.js';

/**
 * For a `before` of tests with pods: builds Multus and its plugins, once on a machine. Skips the tests where that
 * is impossible, and says why.
 * @throws GoProgramError in CI, where a test that does not run is a test that fails
 */
export async function needCniPrograms(context: Mocha.Context): Promise<CniPrograms> {
  try {
    return await cniPrograms();
  } catch (error) {
    if (process.env.CI || !(error instanceof GoProgramError)) throw error;
    console.log(`      skipped, as Multus and its plugins cannot be built: ${error.problem}`);
    return context.skip();
  }
}
