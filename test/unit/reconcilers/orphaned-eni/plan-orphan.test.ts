import { expect } from 'chai';
import fc from 'fast-check';
import { MANAGER_NAME, TAGS } from '../../../../src/api/names.js';
import type { Eni } from '../../../../src/aws/ec2-gateway.js';
import {
  type OrphanRules,
  type OrphanSituation,
  planOrphan,
  type Sighting,
} from '../../../../src/reconcilers/orphaned-eni/plan-orphan.js';
import { anAttachment, anEni, NOW } from '../../../support/objects.js';

const GRACE_MS = 600_000;
const rules: OrphanRules = { clusterID: 'ours', cleanup: 'delete', gracePeriodMs: GRACE_MS };

const TAGS_OF_OURS = {
  [TAGS.clusterID]: 'ours',
  [TAGS.managedBy]: MANAGER_NAME,
  [TAGS.attachmentUID]: 'uid-1',
  [TAGS.node]: 'node-a',
};

const orphan = (overrides: Partial<Eni> = {}): Eni => anEni({ tags: TAGS_OF_OURS, ...overrides });
const withTags = (tags: Record<string, string>): Eni =>
  orphan({ tags: { ...TAGS_OF_OURS, ...tags } });
const without = (tag: string): Eni =>
  orphan({ tags: Object.fromEntries(Object.entries(TAGS_OF_OURS).filter(([key]) => key !== tag)) });
const attached = (): Eni => orphan({ status: 'in-use', attachment: anAttachment() });

/** Seen for the whole grace period. */
const seen = (eni: Eni, more: Partial<Sighting> = {}): OrphanSituation => ({
  eni,
  hasAttachment: false,
  sighting: { eni: structuredClone(eni), since: NOW - GRACE_MS, ...more },
  now: NOW,
});

describe('planOrphan', () => {
  it('deletes an ENI of ours that has been free and without an attachment for the grace period', () => {
    expect(planOrphan(seen(orphan()), rules)).to.deep.include({ do: 'delete' });
  });

  it('waits for the whole grace period when it sees an orphan for the first time', () => {
    const eni = orphan();
    const situation = { eni, hasAttachment: false, sighting: undefined, now: NOW };
    expect(planOrphan(situation, rules)).to.deep.equal({
      do: 'wait',
      sighting: { eni, since: NOW },
      ms: GRACE_MS,
    });
  });

  it('waits for what is left of the grace period, to the millisecond', () => {
    const young = seen(orphan(), { since: NOW - GRACE_MS + 1 });
    expect(planOrphan(young, rules)).to.deep.include({ do: 'wait', ms: 1 });
  });

  it('grants the grace period again to an ENI that a user has changed', () => {
    const changed = { ...seen(orphan()), eni: orphan({ description: 'mine now' }) };
    expect(planOrphan(changed, rules)).to.deep.include({ do: 'wait', ms: GRACE_MS });
  });

  const foreign: [string, Eni][] = [
    ['of another cluster', withTags({ [TAGS.clusterID]: 'theirs' })],
    ['without a cluster', without(TAGS.clusterID)],
    ['of another manager', withTags({ [TAGS.managedBy]: 'terraform' })],
    ['without a manager', without(TAGS.managedBy)],
    ['without the UID of an attachment', without(TAGS.attachmentUID)],
    ['with an empty UID', withTags({ [TAGS.attachmentUID]: '' })],
    ['that is retained', withTags({ [TAGS.retained]: 'true' })],
    ['that is retained by a tag without a value', withTags({ [TAGS.retained]: '' })],
    ['that an AWS service manages', orphan({ requesterManaged: true })],
  ];
  for (const [title, eni] of foreign) {
    it(`forgets an ENI ${title}`, () => {
      expect(planOrphan(seen(eni), rules)).to.deep.equal({ do: 'forget' });
    });
  }

  it('forgets an ENI whose attachment is there', () => {
    expect(planOrphan({ ...seen(orphan()), hasAttachment: true }, rules)).to.deep.equal({
      do: 'forget',
    });
  });

  it('reports an orphan that is in use once, and never deletes it', () => {
    expect(planOrphan(seen(attached()), rules)).to.deep.include({
      do: 'report',
      finding: 'OrphanedInUse',
    });
    const lastReported = seen(attached(), { lastReported: 'OrphanedInUse' });
    expect(planOrphan(lastReported, rules)).to.deep.equal({ do: 'leave' });
  });

  for (const status of ['pending', 'associated', 'attaching', 'in-use', 'detaching', 'melting']) {
    it(`leaves an orphan alone whose status is ${status}, attached or not`, () => {
      expect(planOrphan(seen(orphan({ status })), rules)).to.deep.include({ do: 'report' });
    });
  }

  it('leaves an orphan alone that is available and has an attachment, whatever its state', () => {
    const eni = orphan({ attachment: anAttachment({ status: 'detached' }) });
    expect(planOrphan(seen(eni), rules)).to.deep.include({ do: 'report' });
  });

  it('deletes an orphan that was in use, a grace period after it has become free', () => {
    const old = seen(attached(), { lastReported: 'OrphanedInUse' });
    const freed = planOrphan({ ...old, eni: orphan() }, rules);
    expect(freed).to.deep.include({ do: 'wait', ms: GRACE_MS });
    const { sighting } = freed as { sighting: Sighting };
    const later = { eni: orphan(), hasAttachment: false, sighting, now: NOW + GRACE_MS };
    expect(planOrphan(later, rules)).to.deep.include({ do: 'delete' });
  });

  it('reports an orphan once, and deletes nothing, where it may only report', () => {
    const reportOnly: OrphanRules = { ...rules, cleanup: 'report' };
    expect(planOrphan(seen(orphan()), reportOnly)).to.deep.include({
      do: 'report',
      finding: 'Orphaned',
    });
    const lastReported = seen(orphan(), { lastReported: 'Orphaned' });
    expect(planOrphan(lastReported, reportOnly)).to.deep.equal({ do: 'leave' });
  });

  it('tries again to delete what EC2 refused to delete, whatever was lastReported of it', () => {
    const refused = seen(orphan(), { lastReported: 'AccessDenied' });
    expect(planOrphan(refused, rules)).to.deep.include({ do: 'delete' });
  });

  it('knows an ENI that is gone after a Delete from one that went by itself', () => {
    const gone = { ...seen(orphan()), eni: undefined };
    expect(planOrphan(gone, rules)).to.deep.equal({ do: 'forget' });
    const asked = { ...seen(orphan(), { deletionSent: true }), eni: undefined };
    expect(planOrphan(asked, rules)).to.deep.include({ do: 'confirmDeleted' });
  });

  /** One thing wrong at a time is what finds a condition that is not checked. */
  const mostly = <T>(right: T, ...wrong: T[]): fc.Arbitrary<T> =>
    fc.oneof(
      { weight: 12, arbitrary: fc.constant(right) },
      { weight: 1, arbitrary: fc.constantFrom(...wrong) },
    );
  const someTags = (tags: Record<string, string | undefined>): Record<string, string> =>
    Object.fromEntries(Object.entries(tags).flatMap(([k, v]) => (v === undefined ? [] : [[k, v]])));
  const anyEni: fc.Arbitrary<Eni> = fc
    .record({
      tags: fc
        .record({
          [TAGS.clusterID]: mostly<string | undefined>('ours', 'theirs', undefined),
          [TAGS.managedBy]: mostly<string | undefined>(MANAGER_NAME, 'terraform', undefined),
          [TAGS.attachmentUID]: mostly<string | undefined>('uid-1', '', undefined),
          [TAGS.retained]: mostly<string | undefined>(undefined, 'true', ''),
        })
        .map(someTags),
      status: mostly('available', 'in-use', 'pending', 'detaching', 'melting'),
      attachment: mostly(undefined, anAttachment(), anAttachment({ status: 'detached' })),
      requesterManaged: mostly(false, true),
      description: mostly('', 'changed'),
    })
    .map(({ attachment, ...eni }) => anEni({ ...eni, ...(attachment ? { attachment } : {}) }));
  const anySituation = fc
    .record({
      eni: anyEni,
      before: fc.oneof(
        { weight: 12, arbitrary: fc.constant(undefined) },
        { weight: 1, arbitrary: anyEni },
      ),
      isSeen: mostly(true, false),
      age: fc.oneof(
        { weight: 12, arbitrary: fc.integer({ min: GRACE_MS - 1, max: 2 * GRACE_MS }) },
        { weight: 1, arbitrary: fc.integer({ min: -10, max: GRACE_MS }) },
      ),
      hasAttachment: mostly(false, true),
      cleanup: mostly<OrphanRules['cleanup']>('delete', 'report'),
      lastReported: mostly<string | undefined>(
        undefined,
        'Orphaned',
        'OrphanedInUse',
        'AccessDenied',
      ),
    })
    .map(({ eni, before, isSeen, age, hasAttachment, cleanup, lastReported }) => {
      const sighting: Sighting = {
        eni: structuredClone(before ?? eni),
        since: NOW - age,
        ...(lastReported === undefined ? {} : { lastReported }),
      };
      const situation: OrphanSituation & { eni: Eni } = {
        eni,
        hasAttachment,
        sighting: isSeen ? sighting : undefined,
        now: NOW,
      };
      return { age, cleanup, situation };
    });

  it('deletes if, and only if, every condition holds', () => {
    let deletions = 0;
    fc.assert(
      fc.property(anySituation, ({ situation, cleanup, age }) => {
        const { eni, hasAttachment, sighting } = situation;
        const conditions = [
          cleanup === 'delete',
          !hasAttachment,
          eni.tags['networking.k8s.aws/cluster-id'] === 'ours',
          eni.tags['networking.k8s.aws/managed-by'] === 'eni-operator',
          eni.tags['networking.k8s.aws/attachment-uid'] === 'uid-1',
          !('networking.k8s.aws/retained' in eni.tags),
          !eni.requesterManaged,
          eni.status === 'available',
          !('attachment' in eni),
          sighting !== undefined,
          JSON.stringify(sighting?.eni) === JSON.stringify(eni),
          age >= GRACE_MS,
        ];
        const deletes = planOrphan(situation, { ...rules, cleanup }).do === 'delete';
        deletions += deletes ? 1 : 0;
        expect(deletes).to.equal(conditions.every(Boolean));
      }),
      { numRuns: 5_000 },
    );
    expect(deletions, 'deletions among the examples').to.be.greaterThan(500);
  });
});
