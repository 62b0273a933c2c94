import { expect } from 'chai';
import { withUsableInterface } from '../support/suite.js';
import { undisturbed } from '../support/undisturbed.js';

const NEXT = 'eni-operator:e2e-next';

describe('a rollout', function () {
  const suite = withUsableInterface(this);

  it('of other settings replaces the controller, and no interface goes down', async () => {
    const { operator } = suite;
    const old = await operator.pod('controller');
    await undisturbed(suite, () => operator.deploy({ settings: { LOG_LEVEL: 'debug' } }));
    expect((await operator.pod('controller')).metadata.name).not.to.equal(old.metadata.name);
  });

  it('of another version and back replaces both components, and no interface goes down', async () => {
    const { cluster, operator } = suite;
    for (const each of cluster.nodes) {
      const [from, to] = ['eni-operator:e2e', NEXT].map((name) => `docker.io/library/${name}`);
      await each.ctr('images', 'tag', '--force', from ?? '', to ?? '');
    }
    await undisturbed(suite, () => operator.deploy({ image: NEXT }));
    await undisturbed(suite, () => operator.deploy());
  });

  it('to an image that does not exist leaves the working controller', async () => {
    await keepsTheWorkingController({ image: 'eni-operator:no-such-tag' });
  });

  it('to an EC2 endpoint that does not answer leaves the working controller', () =>
    keepsTheWorkingController({ settings: { AWS_ENDPOINT_URL_EC2: 'http://10.10.0.1:9' } }));

  async function keepsTheWorkingController(
    change: Parameters<typeof suite.operator.deploy>[0],
  ): Promise<void> {
    const { operator } = suite;
    const old = await operator.pod('controller');
    try {
      await undisturbed(suite, async () => {
        await operator.deploy({ ...change, noWait: true });
        const outcome = await operator.rolledOut(40).then(
          () => 'rolled out',
          (error: Error) => error.message,
        );
        expect(outcome).to.include('timed out waiting for the condition');
      });
      const names = (await operator.readyPods('controller')).map(({ metadata }) => metadata.name);
      expect(names).to.deep.equal([old.metadata.name]);
    } finally {
      await operator.deploy();
    }
  }
});
