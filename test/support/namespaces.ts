import { whyNoNamespaces } from '../../tools/stage/host/network-namespace.js';

export { NetworkNamespace } from '../../tools/stage/host/network-namespace.js';

/**
 * For a `before` of tests that need namespaces: skips them where there can be none, and says why.
 * @throws Error in CI, where a test that does not run is a test that fails
 */
export async function needNamespaces(context: Mocha.Context): Promise<void> {
  const why = await whyNoNamespaces();
  if (why === undefined) return;
  if (process.env.CI) throw new Error(`No network namespaces: ${why}`);
  console.log(`      skipped, as there can be no network namespaces: ${why}`);
  context.skip();
}
