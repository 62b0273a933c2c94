import { RealCluster, type RealClusterOptions } from '../../../tools/real-node/real-cluster.js';

/** Milliseconds that mocha should give a hook that starts the cluster: it takes 20 s on 2 idle cores. */
export const CLUSTER_TIMEOUT_MS = 3 * 60_000;

/** Variable of the environment in which main.ts passes the cluster's options, as JSON. */
export const OPTIONS_VARIABLE = 'E2E_CLUSTER';

let shared: Promise<RealCluster> | undefined;

/**
 * The one cluster, of two nodes, that all end-to-end tests of a mocha run share. It ends with the namespaces that
 * main.ts runs mocha in. Each file of tests deploys the operator itself, and takes it away again.
 */
export function sharedCluster(): Promise<RealCluster> {
  shared ??= RealCluster.start(options());
  return shared;
}

function options(): RealClusterOptions {
  const text = process.env[OPTIONS_VARIABLE];
  if (!text) throw new Error('Run these tests with "make e2e": they need namespaces of their own');
  return JSON.parse(text) as RealClusterOptions;
}
