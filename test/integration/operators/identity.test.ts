import { expect } from 'chai';
import { ENIAttachment } from '../../../src/api/eni-attachment.js';
import { TAGS } from '../../../src/api/names.js';
import { NodeENI } from '../../../src/api/node-eni.js';
import { DEFAULT_IDS } from '../../../tools/ec2-simulator/index.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { ignoringNotFound } from '../../../tools/stage/ignoring-not-found.js';
import { eventually } from '../../support/eventually.js';
import { Stage, ZONE_A } from '../../support/stage.js';

describe('whose ENI it is', () => {
  let stage: Stage;
  const labels = { identity: 'true' };

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    stage = await Stage.open();
    stage.start({ RESYNC_PERIOD: '1s' });
  });

  afterEach(async () => {
    await stage.clear();
  });
  after(() => stage.close());

  async function theAttachment(name = 'identity'): Promise<ENIAttachment> {
    const [attachment] = await stage.listAttachments(name);
    return attachment ?? expect.fail('there is no attachment');
  }

  const theEni = (id: string | undefined) => stage.ec2.state.enis.find((eni) => eni.id === id);

  it('a foreign ENI with all our tags takes nothing over, is reported, and is left alone', async () => {
    await stage.addNode('identity-a', { labels });
    await stage.createNodeENI('identity');
    await stage.ready('identity', 1);
    const attachment = await theAttachment();
    const own = attachment.status?.eniID;
    const { tags = {} } = theEni(own) ?? {};
    const victim = stage.ec2.addInstance({ zone: ZONE_A });
    const { net1A: subnetId } = DEFAULT_IDS.subnets;
    // EC2 picks ids at random: one of these comes before the ENI's own.
    const intruders = Array.from({ length: 8 }, (_, index) =>
      stage.ec2.addInterface({
        subnetId,
        tags,
        ...(index === 0 ? { attachment: { instanceId: victim.id, deviceIndex: 1 } } : {}),
      }),
    );
    await eventually(async () => {
      const events = await stage.events(attachment.metadata.name);
      expect(events.map(({ reason }) => reason)).to.include('ForeignInterface');
    });
    await stage.patchNodeENI('identity', { description: 'changed' });
    await eventually(() => expect(theEni(own)?.description).to.equal('changed'));
    expect(theEni(own)?.attachment).to.include({ status: 'attached', deviceIndex: 1 });
    const attached = intruders[0]?.id;
    await stage.deleteNodeENI('identity');
    await stage.gone('identity');
    expect(theEni(own)).to.equal(undefined);
    expect(theEni(attached)?.attachment).to.include({ instanceId: victim.id, status: 'attached' });
    for (const { id } of intruders) if (theEni(id)) stage.ec2.removeInterface(id);
  });

  it('an ENI whose ENIAttachment was lost is adopted by the next one', async () => {
    await stage.addNode('identity-a', { labels });
    await stage.createNodeENI('identity');
    await stage.ready('identity', 1);
    const lost = await theAttachment();
    const before = stage.calls();
    const body = { metadata: { finalizers: null } };
    await stage.kube.patch(ENIAttachment.resource, lost.metadata, { type: 'merge', body } as never);
    await stage.kube.delete(ENIAttachment.resource, lost.metadata);
    await eventually(async () => {
      const { metadata, status } = await theAttachment();
      expect(metadata.uid).to.not.equal(lost.metadata.uid);
      expect(status).to.include({ eniID: lost.status?.eniID, phase: 'Ready' });
      expect(theEni(status?.eniID)?.tags[TAGS.attachmentUID]).to.equal(metadata.uid);
    });
    const { CreateNetworkInterface, DetachNetworkInterface } = stage.calls();
    expect({ CreateNetworkInterface, DetachNetworkInterface }).to.deep.equal({
      CreateNetworkInterface: before.CreateNetworkInterface,
      DetachNetworkInterface: before.DetachNetworkInterface,
    });
    expect(stage.managedEnis()).to.have.length(1);
  });

  it('an ENI whose ENIAttachment was lost, on another index than the next one wants, is not doubled', async () => {
    await stage.addNode('identity-a', { labels });
    await stage.createNodeENI('identity');
    await stage.ready('identity', 1);
    await stage.log.stop();
    const lost = await theAttachment();
    const body = { metadata: { finalizers: null } };
    await stage.kube.patch(ENIAttachment.resource, lost.metadata, { type: 'merge', body } as never);
    await stage.kube.delete(ENIAttachment.resource, lost.metadata);
    await stage.patchNodeENI('identity', { deviceIndex: 2 });
    stage.start({ RESYNC_PERIOD: '1s', ORPHAN_GRACE_PERIOD: '1s' });
    await eventually(async () => {
      const { metadata, status } = await theAttachment();
      expect(metadata.uid).to.not.equal(lost.metadata.uid);
      const ready = status?.conditions?.find(({ type }) => type === 'Ready');
      expect(ready).to.include({ status: 'False', reason: 'InterfaceInUse' });
      expect(ready?.message).to.include(lost.status?.eniID).and.include('index 1, not at 2');
    });
    expect(stage.managedEnis()).to.have.length(1);
    const [eni] = stage.managedEnis();
    stage.ec2.detachInterface(eni?.id ?? '');
    await stage.ready('identity', 1);
    await eventually(() =>
      expect(stage.managedEnis().map(({ attachment }) => attachment?.deviceIndex)).to.deep.equal([
        2,
      ]),
    );
  });

  it('NodeENIs and ENIAttachments restored from a backup, with new UIDs and no status, take over what there is', async () => {
    await stage.addNode('identity-a', { labels });
    await stage.createNodeENI('identity');
    const { spec } = await stage.ready('identity', 1);
    const backup = await theAttachment();
    await stage.log.stop();
    for (const [kind, name] of [
      [ENIAttachment, backup.metadata.name],
      [NodeENI, 'identity'],
    ] as const) {
      const patch = { type: 'merge', body: { metadata: { finalizers: null } } } as const;
      await stage.kube.patch(kind.resource, { name }, patch);
      await ignoringNotFound(stage.kube.delete(kind.resource, { name }));
    }
    const before = stage.calls();
    const { name, labels: ofBackup = {}, finalizers = [], ownerReferences = [] } = backup.metadata;
    await stage.kube.create<NodeENI>(NodeENI.resource, { metadata: { name: 'identity' }, spec });
    await stage.kube.create<ENIAttachment>(ENIAttachment.resource, {
      metadata: { name, labels: ofBackup, finalizers, ownerReferences },
      spec: backup.spec,
    });
    stage.start({ RESYNC_PERIOD: '1s' });
    await stage.ready('identity', 1);
    await eventually(async () => {
      const attachment = await theAttachment();
      expect(attachment.metadata.name).to.not.equal(name);
      expect(attachment.status).to.include({ eniID: backup.status?.eniID, phase: 'Ready' });
    });
    const { CreateNetworkInterface, DetachNetworkInterface } = stage.calls();
    expect({ CreateNetworkInterface, DetachNetworkInterface }).to.deep.equal({
      CreateNetworkInterface: before.CreateNetworkInterface,
      DetachNetworkInterface: before.DetachNetworkInterface,
    });
  });

  it('an ENIAttachment made by hand gets no ENI, and says why', async () => {
    const instanceID = await stage.addNode('identity-a', { labels });
    await stage.createNodeENI('identity');
    await stage.ready('identity', 1);
    const { metadata, spec } = await theAttachment();
    const forged = { ...spec, instanceID, deviceIndex: 2 };
    const { ownerReferences = [] } = metadata;
    for (const [name, made] of Object.entries({
      'identity-no-finalizer': { ownerReferences },
      'identity-no-owner': { finalizers: ['networking.k8s.aws/eni'] },
    })) {
      await stage.kube.create<ENIAttachment>(ENIAttachment.resource, {
        metadata: { name, ...made },
        spec: forged,
      } as never);
    }
    await eventually(async () => {
      const events = [
        ...(await stage.events('identity-no-finalizer')),
        ...(await stage.events('identity-no-owner')),
      ];
      expect(events.map(({ reason }) => reason)).to.include('NotManaged');
    });
    for (const { attachment } of stage.managedEnis()) expect(attachment?.deviceIndex).to.equal(1);
  });
});
