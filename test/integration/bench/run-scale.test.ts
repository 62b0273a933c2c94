import { expect } from 'chai';
import { runScale } from '../../../bench/run-scale.js';
import { parseScenario } from '../../../bench/scenario.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';

describe('A start in a cluster that has all its ENIs', () => {
  it('takes them over without a write, and lists them once a resync', async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    const result = await runScale({
      scenario: parseScenario('3x2'),
      restSeconds: 1,
      resyncSeconds: 5,
      progress: () => {},
      signal: new AbortController().signal,
    });

    const { start, rest, resync, memory } = result;
    const written = [start, rest, resync].map(({ kube }) => kube.byTarget);
    // The Events say which admission policies this cluster does not have.
    expect(written).to.deep.equal([{ 'create events': 3 }, {}, {}]);
    const actions = [start, rest, resync].flatMap(({ ec2 }) => Object.keys(ec2.byAction));
    const isRead = (action: string): boolean =>
      action.startsWith('Describe') || action.endsWith('(dry run)');
    expect(actions.filter((action) => !isRead(action))).to.deep.equal([]);
    // The listing, and the ENI that the dry runs are about.
    expect(start.ec2.byAction).to.include({ DescribeNetworkInterfaces: 2 });
    expect(resync.ec2.byAction.DescribeNetworkInterfaces).to.be.at.least(1);
    expect(result.settledSeconds).to.be.at.least(result.startedSeconds);
    expect(memory.peakRss).to.be.at.least(memory.atRest);
  });
});
