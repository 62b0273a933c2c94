import { expect } from 'chai';
import { ENIAttachment } from '../../../src/api/eni-attachment.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { eventually } from '../../support/eventually.js';
import { Stage } from '../../support/stage.js';

describe('a settled system', () => {
  let stage: Stage;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    stage = await Stage.open();
    stage.start({ RESYNC_PERIOD: '1s', LOG_LEVEL: 'debug', LOOKUP_TTL: '10m' });
  });

  after(() => stage.close());

  const versions = async (): Promise<string[]> =>
    [await stage.nodeENI('still'), ...(await stage.listAttachments('still'))].map(
      ({ metadata }) => metadata.resourceVersion,
    );

  it('asks EC2 for one listing a resync, writes nothing, and triggers nothing', async () => {
    for (const name of ['still-1', 'still-2', 'still-3']) {
      await stage.addNode(name, { labels: { still: 'true' } });
    }
    await stage.createNodeENI('still');
    await stage.ready('still', 3);
    const resyncs = (count: number) =>
      eventually(() => expect(stage.calls().DescribeNetworkInterfaces ?? 0).to.be.at.least(count));
    stage.ec2.resetCounts();
    await resyncs(1);

    const before = await versions();
    stage.ec2.resetCounts();
    await resyncs(3);
    expect(Object.keys(stage.calls())).to.deep.equal(['DescribeNetworkInterfaces']);
    expect(await versions()).to.deep.equal(before);
  });

  it('asks EC2 for nothing because of what a node reports', async () => {
    const [attachment] = await stage.listAttachments('still');
    const name = { name: attachment?.metadata.name ?? '' };
    stage.ec2.resetCounts();
    for (const link of [
      { state: 'absent', reason: 'DeviceMissing', message: 'x'.repeat(200) },
      { state: 'up', name: 'ens9', macAddress: '02:00:00:00:00:99', addresses: ['192.0.2.1'] },
      { state: 'down', altName: 'y', observedGeneration: 99 },
      null,
    ]) {
      const patch = { type: 'merge', body: { status: { link } } } as const;
      await stage.kube.patch(ENIAttachment.resource, name, patch, { subresource: 'status' });
    }
    await eventually(() => expect(stage.calls().DescribeNetworkInterfaces ?? 0).to.be.at.least(2));
    expect(Object.keys(stage.calls())).to.deep.equal(['DescribeNetworkInterfaces']);
    expect((await stage.listAttachments('still')).map(({ status }) => status?.phase)).to.deep.equal(
      ['Ready', 'Ready', 'Ready'],
    );
  });
});
