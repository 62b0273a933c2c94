import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * For a `before` of tests that call kubectl: skips them where there is none.
 * @throws Error in CI, where a test that does not run is a test that fails
 */
export async function needKubectl(context: Mocha.Context): Promise<void> {
  const isThere = await promisify(execFile)('kubectl', ['version', '--client']).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  if (process.env.CI) throw new Error('There is no kubectl');
  console.log('      skipped, as there is no kubectl');
  context.skip();
}
