import { expect } from 'chai';
import { enisOf, untilUsable } from '../support/nodes.js';
import { withUsableInterface } from '../support/suite.js';

describe('make undeploy', function () {
  const suite = withUsableInterface(this);

  it('ENIS=keep leaves the ENIs, which a later deployment goes on with', async () => {
    const { cluster, operator, node } = suite;
    const before = enisOf(cluster).map(({ id }) => id);
    await operator.undeploy({ enis: 'keep' });
    expect(enisOf(cluster).map(({ id }) => id)).to.deep.equal(before);
    await operator.deploy();
    await untilUsable(cluster, node);
    expect(enisOf(cluster).map(({ id }) => id)).to.deep.equal(before);
  });

  it('ENIS=delete says at once that no controller runs that would do it', async () => {
    const { operator } = suite;
    await operator.kubectl('scale', 'deployment/eni-operator-controller', '--replicas=0');
    await operator.kubectl(
      'wait',
      '--for=delete',
      'pod',
      '--selector=app.kubernetes.io/component=controller',
      '--timeout=60s',
    );
    try {
      const answer = await operator
        .undeploy({ enis: 'delete', timeout: '30s' })
        .catch((error: Error) => error.message);
      expect(answer)
        .to.match(/controller/i)
        .and.not.match(/timed out/);
    } finally {
      await operator.kubectl('scale', 'deployment/eni-operator-controller', '--replicas=1');
      await operator.rolledOut();
    }
  });
});
