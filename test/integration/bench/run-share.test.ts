import { expect } from 'chai';
import { runShare } from '../../../bench/run-share.js';
import { parseScenario } from '../../../bench/scenario.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';

describe('A run with another user of the account', () => {
  it("distinguishes the controller's calls from the other user's", async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    const { own, other } = await runShare({
      scenario: parseScenario('3x1'),
      share: 0.5,
      progress: () => {},
      signal: new AbortController().signal,
    });

    expect(own.byAction).to.include({
      CreateNetworkInterface: 3,
      AttachNetworkInterface: 3,
      DetachNetworkInterface: 3,
      DeleteNetworkInterface: 3,
    });
    expect(Object.keys(other.byAction).sort()).to.deep.equal([
      'CreateNetworkInterface',
      'DeleteNetworkInterface',
    ]);
    expect([own.throttled, other.throttled]).to.deep.equal([0, 0]);
  });
});
