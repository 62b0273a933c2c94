import { expect } from 'chai';
import type { OrphanView } from '../../../src/cli/orphans/orphan-view.js';
import { DEFAULT_IDS } from '../../../tools/ec2-simulator/index.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { untilTrue } from '../../support/eventually.js';
import { Stage } from '../../support/stage.js';
import { kubectlEni, simulatorEnv } from './run.js';

const CLUSTER = 'orphans-cluster';
/** The controller sees tags that others set with its next listing. */
const SETTINGS = { ORPHAN_CLEANUP: 'off', CLUSTER_ID: CLUSTER, RESYNC_PERIOD: '1s' };

const tags = (more: Record<string, string> = {}) => ({
  'networking.k8s.aws/cluster-id': CLUSTER,
  'networking.k8s.aws/managed-by': 'eni-operator',
  'networking.k8s.aws/attachment-uid': 'long-gone',
  'networking.k8s.aws/node-eni': 'storage',
  ...more,
});

describe('kubectl eni orphans and adopt', () => {
  let stage: Stage;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    stage = await Stage.open();
    stage.start(SETTINGS);
  });
  afterEach(() => stage.clear());
  after(() => stage.close());

  async function eni(...args: string[]) {
    const { code, out, error } = await kubectlEni(
      [...args, '--kubeconfig', stage.kubeconfigPath, '--cluster-id', CLUSTER, '-o', 'json'],
      { env: simulatorEnv(stage.ec2.url) },
    );
    return { code, error, ...(out === '' ? {} : JSON.parse(out)) };
  }
  const states = (orphans: OrphanView[]) =>
    Object.fromEntries(orphans.map(({ eniID, state }) => [eniID, state]));
  const exists = (id: string) => stage.ec2.state.enis.some((each) => each.id === id);

  it('lists what the operator does not know, and deletes what is free and stays so', async () => {
    const subnetId = DEFAULT_IDS.subnets.net1A;
    const instanceId = await stage.addNode('orphans-a', { labels: { known: 'true' } });
    await stage.createNodeENI('known');
    await stage.ready('known', 1);
    const free = stage.ec2.addInterface({ subnetId, tags: tags() }).id;
    const attachment = { instanceId, deviceIndex: 2 };
    const used = stage.ec2.addInterface({ subnetId, tags: tags(), attachment }).id;
    const kept = stage.ec2.addInterface({
      subnetId,
      tags: tags({ 'networking.k8s.aws/retained': 'storage' }),
    }).id;
    const foreign = stage.ec2.addInterface({ subnetId, tags: { Name: 'other' } }).id;

    const listed = await eni('orphans');
    expect(listed.code).to.equal(1);
    expect(states(listed.orphans)).to.deep.equal({
      [free]: 'free',
      [used]: 'inUse',
      [kept]: 'retained',
    });

    const { code, deleted } = await eni('orphans', '--delete', '--grace', '0');
    expect({ code, deleted }).to.deep.equal({ code: 1, deleted: [free] });
    expect([free, used, kept, foreign].map(exists)).to.deep.equal([false, true, true, true]);
    expect(stage.managedEnis().length).to.be.greaterThan(1);
  });

  it('gives a free ENI to a NodeENI, which then uses it', async () => {
    const { id } = stage.ec2.addInterface({ subnetId: DEFAULT_IDS.subnets.net1A });
    await stage.addNode('adopt-a');
    await stage.createNodeENI('adopt', { reclaimPolicy: 'Retain' });
    const args = ['adopt', id, '--nodeeni', 'adopt', '--node', 'adopt-a'];
    expect((await eni(...args, '--dry-run')).code).to.equal(0);
    expect(stage.ec2.state.enis.find((each) => each.id === id)?.tags).to.deep.equal({});
    expect((await eni(...args)).code).to.equal(0);

    stage.ec2.resetCounts();
    // The second listing began after the tags were set.
    await untilTrue('two listings', () => (stage.calls().DescribeNetworkInterfaces ?? 0) >= 2);
    await stage.label('adopt-a', { adopt: 'true' });
    await stage.ready('adopt', 1);
    const own = stage
      .managedEnis()
      .filter((each) => each.tags['networking.k8s.aws/node'] === 'adopt-a');
    expect(own.map((each) => each.id)).to.deep.equal([id]);
    expect(stage.calls().CreateNetworkInterface ?? 0).to.equal(0);
    // Cleared for the next test: retained ENIs outlive their NodeENI.
    await stage.patchNodeENI('adopt', { reclaimPolicy: 'Delete' });
    await untilTrue('the attachment is told', async () =>
      (await stage.listAttachments('adopt')).every(({ spec }) => spec.reclaimPolicy === 'Delete'),
    );
  });

  it('says what keeps an ENI from being adopted', async () => {
    const instanceId = await stage.addNode('adopt-b');
    await stage.createNodeENI('strict');
    const { id } = stage.ec2.addInterface({
      subnetId: DEFAULT_IDS.subnets.net2B,
      attachment: { instanceId, deviceIndex: 1 },
    });
    const { code, faults } = await eni('adopt', id, '--nodeeni', 'strict', '--node', 'adopt-b');
    expect(code).to.equal(1);
    expect(faults.join('\n')).to.match(
      /is in-use at i-\w+\. Detach it first.*\nNodeENI strict does not have spec\.reclaimPolicy: Retain.*\n.* is in us-west-2b, and the node in us-west-2a/,
    );
    const unknown = await eni(
      'adopt',
      'eni-00000000000000000',
      '--nodeeni',
      'strict',
      '--node',
      'adopt-b',
    );
    expect(unknown).to.deep.include({ code: 2 });
    expect(unknown.error).to.include('EC2 does not know the ENI "eni-00000000000000000"');
  });
});
