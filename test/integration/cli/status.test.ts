import { expect } from 'chai';
import { parse } from 'yaml';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { Stage } from '../../support/stage.js';
import { kubectlEni } from './run.js';

describe('kubectl eni status, on a cluster', () => {
  let stage: Stage;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    stage = await Stage.open();
    stage.start();
  });
  afterEach(() => stage.clear());
  after(() => stage.close());

  const status = (...args: string[]) =>
    kubectlEni(['status', '--kubeconfig', stage.kubeconfigPath, ...args]);

  it('shows what is ready, what has a problem, and says so by its exit code', async () => {
    expect(await status()).to.deep.equal({ code: 0, out: 'There are no NodeENIs.\n', error: '' });
    await stage.addNode('status-a', { labels: { good: 'true', bad: 'true' } });
    await stage.createNodeENI('good');
    await stage.ready('good', 1);
    expect(await status()).to.include({ code: 0 });

    await stage.createNodeENI('bad', { subnetName: 'nothere' });
    await stage.degraded('bad', 'SubnetNotFound');
    const { code, out } = await status();
    expect(code).to.equal(1);
    expect(out).to.match(/^bad: EC2 has no subnet named "nothere"\./);
    expect(out).to.match(/^good +█+ +1\/1 +1 +0 +1 +Ready$/m);
    const one = await status('good', '--output', 'yaml');
    expect(one.code).to.equal(0);
    expect(parse(one.out).nodeENIs).to.have.length(1);
  });

  it('watches until all is ready', async () => {
    await stage.addNode('status-b', { labels: { slow: 'true' } });
    await stage.createNodeENI('slow');
    const { code, out } = await status('--watch', '-o', 'json');
    expect(code).to.equal(0);
    expect(out).to.include('"state": "Ready"');
  });

  it('ends with 2 where it cannot find out', async () => {
    expect(await status('nothere')).to.deep.equal({
      code: 2,
      out: '',
      error: 'error: There is no NodeENI "nothere"\n',
    });
    expect((await status('--nothere')).code).to.equal(2);
    expect((await status('--context', 'nothere')).error).to.include('no context "nothere"');
    expect((await kubectlEni(['status', '--help'])).code).to.equal(0);
  });
});
