import { expect } from 'chai';
import type { SinonFakeTimers } from 'sinon';
import { TAGS } from '../../../../src/api/names.js';
import { DeniedError, RetryableError } from '../../../../src/aws/ec2-errors.js';
import type { Eni } from '../../../../src/aws/ec2-gateway.js';
import { EniInventory } from '../../../../src/aws/inventory/eni-inventory.js';
import { systemClock } from '../../../../src/runtime/clock.js';
import type { SourceEvent } from '../../../../src/runtime/controller/source.js';
import { RecordingLogger } from '../../../support/recording-logger.js';
import { attachmentFixture, CLUSTER_ID, eniFixture, errorDetails, fakeTime } from '../fixtures.js';
import { InMemoryEc2 } from '../in-memory-ec2.js';

const WINDOW_MS = 30_000;

describe('EniInventory', () => {
  let timers: SinonFakeTimers;
  let ec2: InMemoryEc2;
  let logger: RecordingLogger;
  let inventory: EniInventory;
  let events: SourceEvent<Eni>[];
  let stop: AbortController;

  beforeEach(() => {
    timers = fakeTime();
    ec2 = new InMemoryEc2();
    logger = new RecordingLogger();
    stop = new AbortController();
    events = [];
    inventory = EniInventory.create({
      gateway: ec2,
      clusterId: CLUSTER_ID,
      clock: systemClock,
      logger,
    });
    inventory.subscribe((event) => events.push(event));
  });
  afterEach(() => {
    stop.abort();
    timers.restore();
  });

  const started = (): Promise<void> => inventory.start(stop.signal);

  /** What a promise comes to while time passes. */
  const settled = async <T>(promise: Promise<T>): Promise<T> => {
    promise.catch(() => undefined);
    await timers.tickAsync(1_000);
    return promise;
  };

  describe('listing', () => {
    it("knows the cluster's ENIs once started, by id and by uid, and reports each", async () => {
      const other = eniFixture({ id: 'eni-2' });
      ec2.holds(eniFixture(), other, eniFixture({ id: 'eni-3', tags: {} }));

      await started();

      expect(ec2.lists).to.deep.equal([{ tags: { [TAGS.clusterID]: CLUSTER_ID } }]);
      expect(inventory.get('eni-1')).to.deep.equal(eniFixture());
      expect(inventory.byAttachmentUID('uid-1')).to.deep.equal([eniFixture(), other]);
      expect(inventory.byAttachmentUID('uid-9')).to.deep.equal([]);
      expect(inventory.list().map(({ id }) => id)).to.deep.equal(['eni-1', 'eni-2']);
      expect(events).to.deep.equal([
        { type: 'added', object: eniFixture() },
        { type: 'added', object: other },
      ]);
    });

    it('keeps one object of an ENI that did not change, from the moment when its page arrives', async () => {
      ec2.holds(eniFixture(), eniFixture({ id: 'eni-2' }));
      await started();
      const known = inventory.list();

      ec2.holds(eniFixture(), eniFixture({ id: 'eni-2', description: 'changed' }));
      await timers.tickAsync(600_000);

      expect(ec2.lists).to.have.length(2);
      expect(ec2.listed.map((eni, index) => eni === known[index])).to.deep.equal([true, false]);
      expect(inventory.get('eni-1')).to.equal(known[0]);
      expect(inventory.get('eni-2')?.description).to.equal('changed');
    });

    it('dates the newest complete listing by its start', async () => {
      expect(inventory.listedAt).to.equal(0);
      const release = ec2.holdNextAnswer();
      const start = started();
      await timers.tickAsync(500);
      expect(inventory.listedAt).to.equal(0);

      release();
      await start;

      expect(inventory.listedAt).to.equal(1);
    });

    it('costs one listing a resync, and no event, where nothing changes', async () => {
      ec2.holds(eniFixture());
      await started();

      await timers.tickAsync(6 * 600_000);

      expect(ec2.lists).to.have.length(7);
      expect(ec2.describes).to.deep.equal([]);
      expect(events).to.have.length(1);
    });

    it('tells no change where only the order of tags differs', async () => {
      ec2.holds(eniFixture({ tags: { [TAGS.clusterID]: CLUSTER_ID, a: '1', b: '2' } }));
      await started();
      ec2.holds(eniFixture({ tags: { b: '2', a: '1', [TAGS.clusterID]: CLUSTER_ID } }));

      await timers.tickAsync(600_000);

      expect(events).to.have.length(1);
    });

    it('reports what changed and what is gone', async () => {
      const gone = eniFixture({ id: 'eni-2' });
      const changed = eniFixture({ status: 'in-use' });
      ec2.holds(eniFixture(), gone);
      await started();
      ec2.holds(changed);

      await timers.tickAsync(600_000);

      expect(events.slice(2)).to.deep.equal([
        { type: 'updated', object: changed, old: eniFixture() },
        { type: 'deleted', object: gone },
      ]);
      expect(inventory.list()).to.deep.equal([changed]);
      expect(inventory.byAttachmentUID('uid-1')).to.deep.equal([changed]);
    });

    it('follows an ENI whose uid changes', async () => {
      ec2.holds(eniFixture());
      await started();
      ec2.holds(
        eniFixture({ tags: { [TAGS.clusterID]: CLUSTER_ID, [TAGS.attachmentUID]: 'uid-2' } }),
      );

      await timers.tickAsync(600_000);

      expect(inventory.byAttachmentUID('uid-1')).to.deep.equal([]);
      expect(inventory.byAttachmentUID('uid-2')).to.have.length(1);
    });

    it('waits for EC2 to answer, trying again at 1, 2, 4 and then at most 30 seconds', async () => {
      ec2.failure = new RetryableError(errorDetails());
      const start = started();

      await timers.tickAsync(1_000 + 2_000 + 4_000 + 8_000 + 16_000 + 30_000 + 30_000);
      expect(ec2.lists).to.have.length(8);
      ec2.failure = undefined;
      ec2.holds(eniFixture());
      await timers.tickAsync(30_000);
      await start;

      expect(inventory.list()).to.have.length(1);
    });

    it('logs a failing listing when its reason changes, not each time', async () => {
      ec2.failure = new RetryableError(errorDetails());
      const start = started();
      await timers.tickAsync(20_000);
      ec2.failure = new DeniedError(errorDetails({ code: 'UnauthorizedOperation' }));
      await timers.tickAsync(120_000);
      ec2.failure = undefined;
      await timers.tickAsync(30_000);
      await start;

      expect(logger.lines).to.deep.equal([
        'error Listing ENIs fails',
        'error Listing ENIs fails',
        'info Listing ENIs recovered',
      ]);
    });

    it('keeps what it knows while a later listing fails, and goes on listing', async () => {
      ec2.holds(eniFixture());
      await started();
      ec2.failure = new RetryableError(errorDetails());
      await timers.tickAsync(600_000);
      expect(inventory.list()).to.have.length(1);

      ec2.failure = undefined;
      ec2.holds();
      await timers.tickAsync(1_000);

      expect(inventory.list()).to.deep.equal([]);
    });

    it('ends its start with the reason, and lists no more, when stopped', async () => {
      ec2.failure = new RetryableError(errorDetails());
      const start = started().catch((reason: unknown) => reason);
      await timers.tickAsync(0);

      stop.abort('stopping');
      expect(await start).to.equal('stopping');

      await timers.tickAsync(3_600_000);
      expect(ec2.lists).to.have.length(1);
    });

    it('survives a handler that throws, and loses no event of the others', async () => {
      const heard: string[] = [];
      const fresh = EniInventory.create({
        gateway: ec2,
        clusterId: CLUSTER_ID,
        clock: systemClock,
        logger,
      });
      fresh.subscribe(() => {
        throw new Error('no');
      });
      fresh.subscribe(({ object }) => heard.push(object.id));
      ec2.holds(eniFixture(), eniFixture({ id: 'eni-2' }));

      await fresh.start(stop.signal);

      expect(heard).to.deep.equal(['eni-1', 'eni-2']);
      expect(logger.lines).to.deep.equal([
        'error Event handler failed',
        'error Event handler failed',
      ]);
    });
  });

  describe('observing', () => {
    it('answers many observers with one describe', async () => {
      ec2.holds(eniFixture());
      const ids = ['eni-1', 'eni-2', 'eni-1'];

      const answers = await settled(Promise.all(ids.map((id) => inventory.observe(id))));

      expect(ec2.describes).to.deep.equal([['eni-1', 'eni-2']]);
      expect(answers).to.deep.equal([eniFixture(), undefined, eniFixture()]);
      expect(events).to.deep.equal([{ type: 'added', object: eniFixture() }]);
    });

    it('fails the observers of a failed describe and changes nothing', async () => {
      ec2.holds(eniFixture());
      await started();
      ec2.failure = new RetryableError(errorDetails());

      const answer = await settled(inventory.observe('eni-1').catch((err: unknown) => err));

      expect(answer).to.equal(ec2.failure);
      expect(inventory.get('eni-1')).to.deep.equal(eniFixture());
    });

    it('finds by uid with one lookup for all who ask, and several ENIs of one uid', async () => {
      const twin = eniFixture({ id: 'eni-2' });
      ec2.holds(eniFixture(), twin);

      const found = await settled(
        Promise.all([inventory.find('uid-1'), inventory.find('uid-2'), inventory.find('uid-1')]),
      );

      expect(ec2.lists).to.deep.equal([{ tags: { [TAGS.attachmentUID]: ['uid-1', 'uid-2'] } }]);
      expect(found).to.deep.equal([[eniFixture(), twin], [], [eniFixture(), twin]]);
    });

    it('takes an ENI that a lookup no longer finds for gone', async () => {
      ec2.holds(eniFixture());
      await started();
      ec2.holds();

      expect(await settled(inventory.find('uid-1'))).to.deep.equal([]);
      expect(inventory.get('eni-1')).to.equal(undefined);
    });

    it('lets no older read undo a newer one', async () => {
      ec2.holds(eniFixture());
      await started();
      const release = ec2.holdNextAnswer();
      const older = inventory.observe('eni-1');
      await timers.tickAsync(20);
      ec2.holds();
      expect(await settled(inventory.find('uid-1'))).to.deep.equal([]);

      release();

      expect(await older).to.equal(undefined);
      expect(events.map(({ type }) => type)).to.deep.equal(['added', 'deleted']);
    });

    it('lets no read undo a newer listing that did not know the ENI', async () => {
      ec2.holds(eniFixture());
      const release = ec2.holdNextAnswer();
      const older = inventory.observe('eni-1');
      await timers.tickAsync(20);
      ec2.holds();
      await started();

      release();

      expect(await older).to.equal(undefined);
      expect(events).to.deep.equal([]);
    });

    it('believes a read of an ENI without our tag although a newer listing lacks it', async () => {
      const untagged = eniFixture({ tags: {} });
      ec2.holds(untagged);
      const release = ec2.holdNextAnswer();
      const older = inventory.observe('eni-1');
      await timers.tickAsync(20);
      await started();

      release();

      expect(await older).to.deep.equal(untagged);
    });

    it('keeps an observed ENI that has lost its tags, of which listings cannot tell', async () => {
      const untagged = eniFixture({ tags: {} });
      ec2.holds(untagged);
      await started();
      await settled(inventory.observe('eni-1'));

      await timers.tickAsync(600_000);
      expect(inventory.get('eni-1')).to.deep.equal(untagged);

      ec2.holds();
      expect(await settled(inventory.observe('eni-1'))).to.equal(undefined);
      expect(inventory.get('eni-1')).to.equal(undefined);
    });
  });

  describe('own writes', () => {
    const attachment = attachmentFixture();
    const attachedEni = eniFixture({ status: 'in-use', attachment });

    it('shows a created ENI at once, and keeps it through reads that do not know it yet', async () => {
      await started();

      inventory.created(eniFixture());

      expect(events).to.deep.equal([{ type: 'added', object: eniFixture() }]);
      expect(await settled(inventory.observe('eni-1'))).to.deep.equal(eniFixture());
      expect(await settled(inventory.find('uid-1'))).to.deep.equal([eniFixture()]);
      expect(events).to.have.length(1);
    });

    it('shows every setting that was changed, although reads do not show it yet', async () => {
      const before = { ...attachedEni, tags: { ...attachedEni.tags, gone: 'x' } };
      ec2.holds(before);
      await started();

      inventory.modified('eni-1', {
        deleteOnTermination: true,
        securityGroupIds: ['sg-9'],
        description: 'new',
        tags: { set: { team: 'net' }, remove: ['gone'] },
      });

      const known = inventory.get('eni-1');
      expect(known).to.deep.include({ securityGroupIds: ['sg-9'], description: 'new' });
      expect(known?.attachment?.deleteOnTermination).to.equal(true);
      expect(known?.tags).to.deep.equal({ ...attachedEni.tags, team: 'net' });
      expect(await settled(inventory.observe('eni-1'))).to.deep.equal(known);
    });

    it('keeps a created ENI that nothing asks EC2 about, however long', async () => {
      await started();
      inventory.created(eniFixture());

      await timers.tickAsync(500_000);

      expect(inventory.get('eni-1')).to.deep.equal(eniFixture());
      expect(ec2.describes).to.deep.equal([]);
    });

    it('asks again about a created ENI that EC2 does not show, and then believes EC2', async () => {
      await started();
      inventory.created(eniFixture());
      await settled(inventory.observe('eni-1'));

      await timers.tickAsync(WINDOW_MS);

      expect(ec2.describes).to.have.length(2);
      expect(events.at(-1)).to.deep.equal({ type: 'deleted', object: eniFixture() });
    });

    it('believes EC2 that an ENI is gone once EC2 has shown it', async () => {
      await started();
      inventory.created(eniFixture());
      ec2.holds(eniFixture());
      await settled(inventory.observe('eni-1'));
      ec2.holds();

      expect(await settled(inventory.observe('eni-1'))).to.equal(undefined);
    });

    it('keeps an attachment through reads in which the ENI is free, or not there', async () => {
      ec2.holds(eniFixture());
      await started();

      inventory.attached('eni-1', attachment);

      expect(inventory.get('eni-1')).to.deep.equal(attachedEni);
      expect(await settled(inventory.observe('eni-1'))).to.deep.equal(attachedEni);
      ec2.holds();
      expect(await settled(inventory.observe('eni-1'))).to.deep.equal(attachedEni);
      expect(events.map(({ type }) => type)).to.deep.equal(['added', 'updated']);
    });

    it('lets a read that began before the write finished undo nothing', async () => {
      ec2.holds(eniFixture());
      await started();
      const release = ec2.holdNextAnswer();
      const begunBefore = inventory.observe('eni-1');
      await timers.tickAsync(20);

      inventory.attached('eni-1', attachment);
      await timers.tickAsync(WINDOW_MS * 2);
      release();

      expect(await begunBefore).to.deep.equal(attachedEni);
    });

    it("follows EC2's word on the attachment once EC2 shows it", async () => {
      ec2.holds(eniFixture());
      await started();
      inventory.attached('eni-1', attachment);
      const ready = eniFixture({
        status: 'in-use',
        attachment: attachmentFixture({ status: 'attached' }),
      });
      ec2.holds(ready);

      expect(await settled(inventory.observe('eni-1'))).to.deep.equal(ready);
      ec2.holds(eniFixture());
      expect(await settled(inventory.observe('eni-1'))).to.deep.equal(eniFixture());
    });

    it('believes EC2 that the ENI is free when the window has passed', async () => {
      ec2.holds(eniFixture());
      await started();
      inventory.attached('eni-1', attachment);

      await timers.tickAsync(WINDOW_MS);

      expect(await settled(inventory.observe('eni-1'))).to.deep.equal(eniFixture());
    });

    it('shows a detachment through reads in which the ENI is still attached', async () => {
      ec2.holds(attachedEni);
      await started();

      inventory.detaching('eni-1');

      const expected = { ...attachedEni, attachment: { ...attachment, status: 'detaching' } };
      expect(inventory.get('eni-1')).to.deep.equal(expected);
      expect(await settled(inventory.observe('eni-1'))).to.deep.equal(expected);
      ec2.holds(eniFixture());
      expect(await settled(inventory.observe('eni-1'))).to.deep.equal(eniFixture());
    });

    it('does not take an ENI for gone that a read misses right after its detachment', async () => {
      ec2.holds(attachedEni);
      await started();
      inventory.detaching('eni-1');
      ec2.holds();

      expect(await settled(inventory.observe('eni-1'))).to.have.nested.property(
        'attachment.status',
        'detaching',
      );
    });

    it('takes no read for the end of a detachment that may be from before the attachment', async () => {
      ec2.holds(eniFixture());
      await started();
      inventory.attached('eni-1', attachment);

      inventory.detaching('eni-1');

      const expected = { ...attachment, status: 'detaching' };
      expect(inventory.get('eni-1')?.attachment).to.deep.equal(expected);
      expect((await settled(inventory.observe('eni-1')))?.attachment).to.deep.equal(expected);
      await timers.tickAsync(WINDOW_MS);
      expect(inventory.get('eni-1')).to.deep.equal(eniFixture());
    });

    it('keeps a deleted ENI gone through reads that still show it', async () => {
      ec2.holds(eniFixture());
      await started();

      inventory.deleted('eni-1');

      expect(events.at(-1)).to.deep.equal({ type: 'deleted', object: eniFixture() });
      expect(await settled(inventory.observe('eni-1'))).to.equal(undefined);
      expect(await settled(inventory.find('uid-1'))).to.deep.equal([]);
      expect(events).to.have.length(2);
    });

    it('brings a deleted ENI back that EC2 still shows when the window has passed', async () => {
      ec2.holds(eniFixture());
      await started();
      inventory.deleted('eni-1');
      await settled(inventory.observe('eni-1'));

      await timers.tickAsync(WINDOW_MS);

      expect(events.at(-1)).to.deep.equal({ type: 'added', object: eniFixture() });
    });

    it('forgets a deleted ENI with all that was written to it', async () => {
      await started();
      inventory.created(eniFixture());
      inventory.attached('eni-1', attachment);
      inventory.deleted('eni-1');

      expect(inventory.get('eni-1')).to.equal(undefined);
      expect(await settled(inventory.observe('eni-1'))).to.equal(undefined);
    });

    it('shows a change of flag, groups and description until EC2 does', async () => {
      ec2.holds(attachedEni);
      await started();

      inventory.modified('eni-1', {
        deleteOnTermination: true,
        securityGroupIds: ['sg-3', 'sg-2'],
        description: 'new',
      });

      const expected = {
        ...attachedEni,
        attachment: { ...attachment, deleteOnTermination: true },
        securityGroupIds: ['sg-2', 'sg-3'],
        description: 'new',
      };
      expect(await settled(inventory.observe('eni-1'))).to.deep.equal(expected);
      ec2.holds(expected);
      await settled(inventory.observe('eni-1'));
      ec2.holds(attachedEni);
      expect(await settled(inventory.observe('eni-1'))).to.deep.equal(attachedEni);
    });

    it('takes no read that began before a write for the proof of it', async () => {
      ec2.holds(eniFixture());
      await started();
      inventory.modified('eni-1', { description: 'new' });
      const release = ec2.holdNextAnswer();
      const begunBefore = inventory.observe('eni-1');
      await timers.tickAsync(20);
      inventory.modified('eni-1', { description: '' });
      release();
      await begunBefore;

      ec2.holds(eniFixture({ description: 'new' }));

      expect((await settled(inventory.observe('eni-1')))?.description).to.equal('');
    });

    it('gives the flag of one attachment to no other', async () => {
      ec2.holds(attachedEni);
      await started();
      inventory.modified('eni-1', { deleteOnTermination: true });
      const next = attachmentFixture({ attachmentId: 'eni-attach-2' });
      ec2.holds({ ...attachedEni, attachment: next });

      expect((await settled(inventory.observe('eni-1')))?.attachment).to.deep.equal(next);
    });

    it('tells no change where a write changes nothing', async () => {
      ec2.holds(attachedEni);
      await started();

      inventory.modified('eni-1', { description: '', securityGroupIds: ['sg-1'] });
      inventory.created(attachedEni);

      expect(events).to.have.length(1);
    });

    it('asks EC2 nothing more once stopped', async () => {
      await started();
      inventory.created(eniFixture());
      await settled(inventory.observe('eni-1'));

      stop.abort();
      await timers.tickAsync(WINDOW_MS * 2);

      expect(ec2.describes).to.have.length(1);
    });
  });
});
