import type { RootHookObject } from 'mocha';
import { NAMESPACE } from './operator.js';
import { sharedCluster } from './shared-cluster.js';

/** What explains most failures. */
const QUESTIONS = [
  ['get', 'nodes,nodeenis,eniattachments', '--output=wide'],
  ['get', 'pods', `--namespace=${NAMESPACE}`, '--output=wide'],
  ['events', '--all-namespaces', '--types=Warning'],
  ['logs', `--namespace=${NAMESPACE}`, 'deployment/eni-operator-controller', '--tail=30'],
  ['logs', `--namespace=${NAMESPACE}`, 'daemonset/eni-operator-agent', '--tail=15'],
];
const LINES = 40;

/** Prints the cluster's state after a test that failed: it is gone at the end. */
export const mochaHooks: RootHookObject = {
  async afterEach(this: Mocha.Context) {
    if (this.currentTest?.state !== 'failed') return;
    this.timeout(30_000);
    const cluster = await sharedCluster();
    for (const question of QUESTIONS) {
      const answer = await cluster.kubectl(...question).catch((error: unknown) => String(error));
      const lines = answer.trimEnd().split('\n').slice(-LINES);
      console.log([`$ kubectl ${question.join(' ')}`, ...lines, ''].join('\n'));
    }
  },
};
