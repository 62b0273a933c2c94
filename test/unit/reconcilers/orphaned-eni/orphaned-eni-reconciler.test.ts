import { expect } from 'chai';
import sinon from 'sinon';
import type { ENIAttachment } from '../../../../src/api/eni-attachment.js';
import { MANAGER_NAME, TAGS } from '../../../../src/api/names.js';
import { Namespace } from '../../../../src/api/namespace.js';
import { AlreadyDoneError, ConflictError, ThrottledError } from '../../../../src/aws/ec2-errors.js';
import type { Eni } from '../../../../src/aws/ec2-gateway.js';
import { EniInventory } from '../../../../src/aws/inventory/eni-inventory.js';
import { OrphanReporter } from '../../../../src/reconcilers/orphaned-eni/orphan-reporter.js';
import { OrphanedENIReconciler } from '../../../../src/reconcilers/orphaned-eni/orphaned-eni-reconciler.js';
import type { OrphanRules } from '../../../../src/reconcilers/orphaned-eni/plan-orphan.js';
import { IndexedStore } from '../../../../src/runtime/cache/store.js';
import { systemClock } from '../../../../src/runtime/clock.js';
import type { Result } from '../../../../src/runtime/controller/controller.js';
import type { EventDetails } from '../../../../src/runtime/kube/events.js';
import { silentLogger } from '../../../../tools/stage/silent-logger.js';
import { aNode, anAttachment, anENIAttachment, anEni } from '../../../support/objects.js';
import { CLUSTER_ID, errorDetails } from '../../aws/fixtures.js';
import { InMemoryEc2 } from '../../aws/in-memory-ec2.js';
import { useFakeTime } from '../../runtime/support/fake-timers.js';

const GRACE_MS = 60_000;
const RECORD = anENIAttachment();
const ORPHAN = anEni({
  tags: {
    [TAGS.clusterID]: CLUSTER_ID,
    [TAGS.managedBy]: MANAGER_NAME,
    [TAGS.attachmentUID]: RECORD.metadata.uid,
    [TAGS.node]: 'node-a',
  },
});
const IN_USE: Eni = { ...ORPHAN, status: 'in-use', attachment: anAttachment() };

describe('OrphanedENIReconciler', () => {
  const stopping = new Set<AbortController>();
  const time = useFakeTime(async () => {
    for (const each of stopping) each.abort();
    stopping.clear();
  });

  /** A reconciler on an inventory that has listed what `ec2` holds. */
  const setUp = async (eni: Eni, cleanup: OrphanRules['cleanup'] = 'delete') => {
    const ec2 = new InMemoryEc2();
    ec2.holds(eni);
    const inventory = EniInventory.create({
      gateway: ec2,
      clusterId: CLUSTER_ID,
      clock: systemClock,
      logger: silentLogger,
      resyncMs: 86_400_000,
    });
    const stop = new AbortController();
    stopping.add(stop);
    await inventory.start(stop.signal);

    const attachments = IndexedStore.create<ENIAttachment>({
      indexes: { uid: ({ metadata }) => [metadata.uid] },
    });
    const nodes = IndexedStore.create<ReturnType<typeof aNode>>();
    const hasLiveRecord = sinon.stub<[string], Promise<boolean>>().resolves(false);
    const deleteEni = sinon.stub<[string], Promise<void>>().resolves();
    const observe = sinon.spy(ec2, 'describeEnis');
    const observer = { orphanLeft: sinon.spy(), orphanDeleted: sinon.spy() };
    const lastReported: (EventDetails & { of: string })[] = [];
    const reconciler = new OrphanedENIReconciler({
      attachments,
      uncachedAttachments: { has: hasLiveRecord },
      gateway: { deleteEni },
      inventory,
      reporter: new OrphanReporter({
        nodes,
        events: {
          event: ({ object }, details) =>
            lastReported.push({ of: object.metadata.name, ...details }),
        },
        cluster: {
          kind: { resource: Namespace.resource },
          object: { metadata: { name: 'kube-system', uid: CLUSTER_ID, resourceVersion: '1' } },
        },
        observer,
      }),
      clock: systemClock,
      rules: { clusterID: CLUSTER_ID, cleanup, gracePeriodMs: GRACE_MS },
    });

    /** One pass, with all the time that its looks need. */
    const pass = async (): Promise<Result> => {
      const result = reconciler.reconcile(eni.id, {
        logger: silentLogger,
        signal: stop.signal,
        reconcileID: '1',
      });
      result.catch(() => {});
      await time.tick(3_000);
      return result;
    };
    /** Has seen the orphan, and lets its grace period pass. */
    const outlastGrace = async (): Promise<void> => {
      expect(await pass()).to.deep.equal({ requeueAfter: GRACE_MS });
      await time.tick(GRACE_MS);
    };
    const reasons = (): string[] => lastReported.map(({ reason }) => reason);
    return {
      ...{
        ec2,
        inventory,
        attachments,
        nodes,
        hasLiveRecord,
        deleteEni,
        observe,
        observer,
        lastReported,
      },
      ...{ reconciler, pass, outlastGrace, reasons },
    };
  };

  it('asks the API server, then EC2, and then deletes', async () => {
    const { pass, outlastGrace, hasLiveRecord, observe, deleteEni } = await setUp(ORPHAN);
    await outlastGrace();
    expect(hasLiveRecord.called || observe.called, 'asked before the time').to.equal(false);
    await pass();
    sinon.assert.callOrder(
      hasLiveRecord.withArgs(RECORD.metadata.uid),
      observe.withArgs([ORPHAN.id]),
      deleteEni.withArgs(ORPHAN.id),
    );
  });

  it('tells and counts a deletion once, and knows the ENI to be gone', async () => {
    const { pass, outlastGrace, reasons, observer, inventory, deleteEni } = await setUp(ORPHAN);
    await outlastGrace();
    await pass();
    await pass();
    expect(reasons()).to.deep.equal(['OrphanDeleted']);
    expect(observer.orphanDeleted.callCount).to.equal(1);
    expect(inventory.get(ORPHAN.id)).to.equal(undefined);
    expect(deleteEni.callCount).to.equal(1);
  });

  it('takes an ENI for deleted that is gone when Delete arrives', async () => {
    const { pass, outlastGrace, reasons, deleteEni } = await setUp(ORPHAN);
    deleteEni.rejects(new AlreadyDoneError(errorDetails()));
    await outlastGrace();
    await pass();
    expect(reasons()).to.deep.equal(['OrphanDeleted']);
  });

  it('spares an ENI whose attachment the API server has and the store has not', async () => {
    const { pass, outlastGrace, hasLiveRecord, deleteEni, lastReported } = await setUp(ORPHAN);
    hasLiveRecord.resolves(true);
    await outlastGrace();
    expect(await pass()).to.deep.equal({});
    expect(deleteEni.called).to.equal(false);
    expect(lastReported).to.deep.equal([]);
  });

  it('spares an ENI whose attachment comes into the store while it looks', async () => {
    const { pass, outlastGrace, hasLiveRecord, deleteEni, attachments } = await setUp(ORPHAN);
    hasLiveRecord.callsFake(async () => {
      attachments.put('late', RECORD);
      return false;
    });
    await outlastGrace();
    expect(await pass()).to.deep.equal({});
    expect(deleteEni.called).to.equal(false);
  });

  it('deletes nothing where the API server does not answer', async () => {
    const { pass, outlastGrace, hasLiveRecord, deleteEni } = await setUp(ORPHAN);
    hasLiveRecord.rejects(new Error('unreachable'));
    await outlastGrace();
    const failure = await pass().catch((error: Error) => error.message);
    expect(failure).to.equal('unreachable');
    expect(deleteEni.called).to.equal(false);
  });

  it('deletes nothing where EC2 does not answer', async () => {
    const { pass, outlastGrace, ec2, deleteEni } = await setUp(ORPHAN);
    await outlastGrace();
    ec2.failure = new ThrottledError(errorDetails());
    const failure = await pass().catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(ThrottledError);
    expect(deleteEni.called).to.equal(false);
  });

  it('gives an ENI that EC2 shows to be in use by now its grace period again', async () => {
    const { pass, outlastGrace, ec2, deleteEni, reasons } = await setUp(ORPHAN);
    await outlastGrace();
    ec2.holds(IN_USE);
    expect(await pass()).to.deep.equal({ requeueAfter: GRACE_MS });
    await time.tick(GRACE_MS);
    await pass();
    expect(deleteEni.called).to.equal(false);
    expect(reasons()).to.deep.equal(['OrphanedInUse']);
  });

  it('leaves what EC2 reports as in use for another grace period, and reports it once', async () => {
    const { pass, outlastGrace, deleteEni, observer, reasons } = await setUp(ORPHAN);
    deleteEni.rejects(new ConflictError(errorDetails(), 'InterfaceInUse'));
    await outlastGrace();
    expect(await pass()).to.deep.equal({ requeueAfter: GRACE_MS });
    await pass();
    expect(deleteEni.callCount).to.equal(1);
    await time.tick(GRACE_MS);
    await pass();
    expect(deleteEni.callCount).to.equal(2);
    expect(reasons()).to.deep.equal(['InterfaceInUse']);
    expect(observer.orphanLeft.args).to.deep.equal([['InterfaceInUse']]);
  });

  it('leaves a failure that may pass to the backoff of its key', async () => {
    const { pass, outlastGrace, deleteEni, reasons } = await setUp(ORPHAN);
    deleteEni.onFirstCall().rejects(new ThrottledError(errorDetails()));
    await outlastGrace();
    expect(await pass().catch((error: unknown) => error)).to.be.instanceOf(ThrottledError);
    await pass();
    expect(reasons()).to.deep.equal(['OrphanDeleted']);
  });

  it('reports once what it may only report, and sends no further request', async () => {
    const { pass, outlastGrace, observe, observer, reasons } = await setUp(ORPHAN, 'report');
    await outlastGrace();
    await pass();
    await pass();
    expect(reasons()).to.deep.equal(['Orphaned']);
    expect(observer.orphanLeft.args).to.deep.equal([['Orphaned']]);
    expect(observe.callCount).to.equal(1);
  });

  it('reports an orphan at its Node, and at the cluster where the Node is gone', async () => {
    for (const [node, of] of [
      [aNode('node-a'), 'node-a'],
      [undefined, 'kube-system'],
    ] as const) {
      const { pass, outlastGrace, nodes, lastReported } = await setUp(IN_USE);
      if (node) nodes.put('node-a', node);
      await outlastGrace();
      await pass();
      expect(lastReported.map((event) => event.of)).to.deep.equal([of]);
    }
  });

  it('looks at ENIs without an attachment, and at those it has seen without one', async () => {
    const { reconciler, attachments, pass } = await setUp(ORPHAN);
    attachments.put('a', RECORD);
    expect(reconciler.mapENIToItself(ORPHAN)).to.deep.equal([]);
    attachments.delete('a');
    expect(reconciler.mapENIToItself(ORPHAN)).to.deep.equal([ORPHAN.id]);
    await pass();
    attachments.put('a', RECORD);
    expect(reconciler.mapENIToItself(ORPHAN)).to.deep.equal([ORPHAN.id]);
    await pass();
    expect(reconciler.mapENIToItself(ORPHAN)).to.deep.equal([]);
  });

  it('looks at the ENIs that an attachment leaves behind', async () => {
    const { reconciler } = await setUp(IN_USE);
    expect(reconciler.mapDeletedAttachmentToENIs(RECORD)).to.deep.equal([IN_USE.id]);
    expect(
      reconciler.mapDeletedAttachmentToENIs(anENIAttachment({ name: 'another' })),
    ).to.deep.equal([]);
  });
});
