import { expect } from 'chai';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { eventually } from '../../support/eventually.js';
import { Stage } from '../../support/stage.js';

const SECRETS = {
  AWS_SECRET_ACCESS_KEY: 'the-secret-key-of-a-role',
  AWS_SESSION_TOKEN: 'the-session-token-of-a-role',
};

describe('the log', () => {
  it('has no secret in it, not even where EC2 refuses the credentials', async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    const stage = await Stage.open();
    try {
      const { lines } = stage.start({ ...SECRETS, LOG_LEVEL: 'debug' });
      await stage.addNode('secrets', { labels: { secrets: 'true' } });
      stage.ec2.failNext({ action: 'CreateNetworkInterface', code: 'AuthFailure', times: 2 });
      await stage.createNodeENI('secrets');
      await stage.ready('secrets', 1);
      await eventually(() => expect(lines.join()).to.include('AuthFailure'));
      await stage.clear();
      for (const secret of Object.values(SECRETS)) {
        expect(lines.filter((line) => line.includes(secret))).to.deep.equal([]);
      }
    } finally {
      await stage.close();
    }
  });
});
