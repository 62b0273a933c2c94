import { expect } from 'chai';
import { ENIAttachment } from '../../../src/api/eni-attachment.js';
import { MANAGER_NAME, TAGS } from '../../../src/api/names.js';
import { Namespace } from '../../../src/api/namespace.js';
import type { KubeObject } from '../../../src/runtime/kube/resource.js';
import { DEFAULT_IDS, type Eni } from '../../../tools/ec2-simulator/index.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { eventually } from '../../support/eventually.js';
import { Stage, type StageEvent } from '../../support/stage.js';

const SHORT_GRACE = { ORPHAN_GRACE_PERIOD: '1s', RESYNC_PERIOD: '1s' };

describe('orphaned ENIs', () => {
  let stage: Stage;
  let clusterID: string;
  let made = 0;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    stage = await Stage.open();
    const kubeSystem = await stage.kube.get<KubeObject>(Namespace.resource, {
      name: 'kube-system',
    });
    clusterID = kubeSystem.metadata.uid;
  });

  afterEach(async () => {
    stage.ec2.clearFaults();
    if (!stage.log.isRunning) {
      stage.start(SHORT_GRACE);
    }
    await stage.clear();
    await stage.log.stop();
    for (const { id } of stage.managedEnis()) {
      stage.ec2.removeInterface(id);
    }
    stage.ec2.resetCounts();
  });

  after(() => stage.close());

  const tagsOfOurs = (more: Record<string, string> = {}): Record<string, string> => ({
    [TAGS.clusterID]: clusterID,
    [TAGS.managedBy]: MANAGER_NAME,
    [TAGS.attachmentUID]: `no-attachment-${++made}`,
    [TAGS.node]: 'orphan-node',
    ...more,
  });
  const anOrphan = (more: Record<string, string> = {}): Eni =>
    stage.ec2.addInterface({ tags: tagsOfOurs(more) });

  const idsInEc2 = (): string[] => stage.ec2.state.enis.map(({ id }) => id);
  const isGone = (id: string) => eventually(() => expect(idsInEc2()).to.not.include(id));
  const resyncs = (count: number) => {
    stage.ec2.resetCounts();
    return eventually(() =>
      expect(stage.calls().DescribeNetworkInterfaces ?? 0).to.be.at.least(count),
    );
  };
  /** What was told of the ENI that no attachment stands for; its life before had Events of its own. */
  const eventsOf = async (eniID: string): Promise<StageEvent[]> =>
    (await stage.events('')).filter(
      ({ note, regarding }) => note.startsWith(eniID) && regarding.kind !== 'ENIAttachment',
    );
  const told = (eniID: string, reason: string): Promise<StageEvent> =>
    eventually(async () => {
      const [event] = (await eventsOf(eniID)).filter((each) => each.reason === reason);
      if (!event) {
        throw new Error(`nothing said ${reason} of ${eniID}`);
      }
      return event;
    });
  const linesOf = (eniID: string) => stage.log.log.filter((line) => line.eniID === eniID);

  /** As an impatient user does it: without the finalizer, deletion waits for nothing. */
  const forceRemove = async (attachment: ENIAttachment): Promise<void> => {
    const body = { metadata: { finalizers: null } };
    await stage.kube.patch(ENIAttachment.resource, attachment.metadata, { type: 'merge', body });
    await stage.kube.delete(ENIAttachment.resource, attachment.metadata);
  };
  const onlyRecord = async (nodeENI: string): Promise<ENIAttachment> => {
    const attachments = await stage.listAttachments(nodeENI);
    expect(attachments).to.have.length(1);
    return attachments[0] as ENIAttachment;
  };

  it('deletes a free ENI that has no attachment, and says so once, of the Node that it was for', async () => {
    await stage.addNode('orphan-node');
    const { id } = anOrphan();
    stage.start(SHORT_GRACE);
    await isGone(id);
    const { regarding, type } = await told(id, 'OrphanDeleted');
    expect(regarding).to.include({ kind: 'Node', name: 'orphan-node' });
    expect(type).to.equal('Normal');
    await resyncs(2);
    expect(await eventsOf(id)).to.have.length(1);
    expect(linesOf(id)).to.have.length(1);
  });

  it('reports it at the kube-system namespace where the Node is gone', async () => {
    const { id } = anOrphan({ [TAGS.node]: 'long-gone' });
    stage.start(SHORT_GRACE);
    await isGone(id);
    const { regarding } = await told(id, 'OrphanDeleted');
    expect(regarding).to.include({ kind: 'Namespace', name: 'kube-system', uid: clusterID });
  });

  it('leaves alone what is not a free orphan of its own', async () => {
    const instanceId = await stage.addNode('orphan-node');
    const add = stage.ec2.addInterface.bind(stage.ec2);
    const left = [
      add({ tags: tagsOfOurs({ [TAGS.clusterID]: 'another-cluster' }) }),
      add({ tags: tagsOfOurs({ [TAGS.managedBy]: 'another-manager' }) }),
      add({ tags: { [TAGS.clusterID]: clusterID } }),
      add({ tags: tagsOfOurs({ [TAGS.retained]: '' }) }),
      add({ tags: tagsOfOurs(), requesterManaged: true }),
      add({ tags: tagsOfOurs(), attachment: { instanceId, deviceIndex: 5 } }),
    ].map(({ id }) => id);
    const { id } = anOrphan();
    stage.start(SHORT_GRACE);
    await isGone(id);
    await resyncs(3);
    expect(idsInEc2()).to.include.members(left);
    expect(stage.calls()).to.not.have.any.keys('DetachNetworkInterface', 'DeleteNetworkInterface');
  });

  it('deletes nothing and reports each orphan once where ORPHAN_CLEANUP is report', async () => {
    const { id } = anOrphan();
    stage.start({ ...SHORT_GRACE, ORPHAN_CLEANUP: 'report' });
    expect(await told(id, 'Orphaned')).to.deep.include({ type: 'Warning' });
    await resyncs(3);
    expect(idsInEc2()).to.include(id);
    expect(await eventsOf(id)).to.have.length(1);
    expect(linesOf(id)).to.have.length(1);
    expect(Object.keys(stage.calls())).to.deep.equal(['DescribeNetworkInterfaces']);
  });

  it('does not look for orphans where ORPHAN_CLEANUP is off', async () => {
    const { id } = anOrphan();
    stage.start({ ...SHORT_GRACE, ORPHAN_CLEANUP: 'off' });
    await resyncs(4);
    expect(idsInEc2()).to.include(id);
    expect(linesOf(id)).to.deep.equal([]);
  });

  it('leaves a young orphan alone, and asks EC2 no more for it', async () => {
    const { id } = anOrphan();
    stage.start({ ...SHORT_GRACE, ORPHAN_GRACE_PERIOD: '1h' });
    await resyncs(3);
    expect(idsInEc2()).to.include(id);
    expect(linesOf(id)).to.deep.equal([]);
    expect(Object.keys(stage.calls())).to.deep.equal(['DescribeNetworkInterfaces']);
  });

  it('spares an ENI whose attachment is there again before the grace period is over', async () => {
    await stage.addNode('orphan-node', { labels: { orphans: 'true' } });
    stage.start({ ...SHORT_GRACE, ORPHAN_GRACE_PERIOD: '4s' });
    await stage.createNodeENI('orphans');
    await stage.ready('orphans', 1);
    const { metadata } = await onlyRecord('orphans');
    const spared = anOrphan();
    await resyncs(1);
    stage.ec2.setTags({ resourceIds: [spared.id], tags: { [TAGS.attachmentUID]: metadata.uid } });
    const other = anOrphan();
    await isGone(other.id);
    expect(idsInEc2()).to.include(spared.id);
    expect(await eventsOf(spared.id)).to.deep.equal([]);
  });

  it('never detaches an ENI in use that has no attachment, and cleans it up once it is free', async () => {
    const instanceId = await stage.addNode('orphan-node', { labels: { orphans: 'true' } });
    // Of a NodeENI that is gone: one of the same NodeENI would be adopted.
    const leaked = stage.ec2.addInterface({
      tags: tagsOfOurs({ [TAGS.nodeENI]: 'gone' }),
      attachment: { instanceId, deviceIndex: 1 },
    });
    const { id } = leaked;
    stage.start(SHORT_GRACE);
    await stage.createNodeENI('orphans');

    const { note, regarding } = await told(id, 'OrphanedInUse');
    expect(note).to.include(`attached to ${instanceId} at device index 1`);
    expect(regarding).to.include({ kind: 'Node', name: 'orphan-node' });
    // Its slot is taken by the orphan, which is named.
    const degraded = await stage.degraded('orphans', 'SlotTaken');
    expect(JSON.stringify(degraded.status)).to.include(id);
    await resyncs(3);
    expect(stage.managedEnis().find((eni) => eni.id === id)?.attachment).to.deep.equal(
      leaked.attachment,
    );
    expect(stage.calls()).to.not.have.any.keys('DetachNetworkInterface', 'DeleteNetworkInterface');
    expect(await eventsOf(id)).to.have.length(1);

    stage.ec2.detachInterface(id);
    await isGone(id);
    await told(id, 'OrphanDeleted');
    await stage.ready('orphans', 1);
    expect(stage.managedEnis()).to.have.length(1);
  });

  it('finds after a start the ENI of an attachment that was removed by force while it was away', async () => {
    await stage.addNode('orphan-node', { labels: { orphans: 'true' } });
    stage.start(SHORT_GRACE);
    await stage.createNodeENI('orphans', { deleteOnTermination: false });
    await stage.ready('orphans', 1);
    const [leaked] = stage.managedEnis();
    const { id = '', attachment } = leaked ?? {};
    await stage.log.stop('SIGKILL');
    await stage.deleteNode('orphan-node');
    await forceRemove(await onlyRecord('orphans'));
    stage.ec2.terminateInstance(attachment?.instanceId ?? '');

    stage.start(SHORT_GRACE);
    await isGone(id);
    const { regarding } = await told(id, 'OrphanDeleted');
    expect(regarding).to.include({ kind: 'Namespace', name: 'kube-system' });
  });

  it('leaves an orphan that EC2 refuses to delete, says why, and tries again a grace period later', async () => {
    const { id } = anOrphan();
    const action = 'DeleteNetworkInterface';
    stage.ec2.failNext({ action, code: 'UnauthorizedOperation', message: 'You are not allowed.' });
    stage.start(SHORT_GRACE);
    const { note } = await told(id, 'AccessDenied');
    expect(note).to.include('You are not allowed');
    await isGone(id);
    await told(id, 'OrphanDeleted');
    const [denied, deleted] = linesOf(id).map(({ ts }) => Date.parse(ts));
    expect((deleted ?? 0) - (denied ?? 0)).to.be.at.least(1_000);
  });

  it('says of an orphan that it is deleted where the answer to Delete was lost', async () => {
    const { id } = anOrphan();
    stage.ec2.loseNextAnswer({ action: 'DeleteNetworkInterface' });
    stage.start(SHORT_GRACE);
    await told(id, 'OrphanDeleted');
    expect(idsInEc2()).to.not.include(id);
  });

  it('deletes many orphans with few calls to look at them', async () => {
    const { net1A } = DEFAULT_IDS.subnets;
    const orphans = Array.from({ length: 16 }, () =>
      stage.ec2.addInterface({ subnetId: net1A, tags: tagsOfOurs() }),
    );
    stage.start({ ORPHAN_GRACE_PERIOD: '1s', RESYNC_PERIOD: '1h' });
    await eventually(() => expect(stage.managedEnis()).to.deep.equal([]));
    expect(stage.calls().DeleteNetworkInterface).to.equal(orphans.length);
    expect(stage.calls().DescribeNetworkInterfaces).to.be.at.most(1 + 4);
  });
});
