import { expect } from 'chai';
import { runScenario } from '../../../bench/run-scenario.js';
import { parseScenario } from '../../../bench/scenario.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';

describe('A run of the benchmark', () => {
  it('measures a small scenario from the first ENI to the last', async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    const result = await runScenario({
      scenario: parseScenario('3x1'),
      quietSeconds: 0,
      progress: () => {},
      signal: new AbortController().signal,
    });

    const { attach, halfRemoved, allDeleted, memory } = result;
    expect([attach.enis, halfRemoved.enis, allDeleted.enis]).to.deep.equal([3, 1, 2]);
    for (const phase of [attach, halfRemoved, allDeleted]) {
      expect(phase.ec2Seconds, 'no faster than EC2').to.be.above(phase.floorSeconds - 0.05);
      expect(phase.kube.total).to.be.above(0);
    }
    expect(attach.ec2.byAction).to.include({
      CreateNetworkInterface: 3,
      AttachNetworkInterface: 3,
      ModifyNetworkInterfaceAttribute: 3,
    });
    expect(attach.kube.byTarget).to.include({ 'create eniattachments': 3 });
    expect(halfRemoved.ec2.byAction).to.include({ DetachNetworkInterface: 1 });
    expect(allDeleted.kube.byTarget).to.include({ 'delete eniattachments': 2 });
    expect(memory.peakRss).to.be.at.least(memory.rss);
  });

  it('ends when asked to', async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    const stop = new AbortController();
    const reason = new Error('enough');
    const failure = await runScenario({
      scenario: parseScenario('3x1'),
      quietSeconds: 60,
      progress: (line) => {
        if (line.includes('quiet')) {
          stop.abort(reason);
        }
      },
      signal: stop.signal,
    }).then(
      () => expect.fail('it went on'),
      (error: unknown) => error,
    );
    expect(failure).to.equal(reason);
  });
});
