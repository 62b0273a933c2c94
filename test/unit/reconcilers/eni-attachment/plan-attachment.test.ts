import { expect } from 'chai';
import fc from 'fast-check';
import { TAGS } from '../../../../src/api/names.js';
import {
  planAttachment,
  planRemoval,
  type RemovalRules,
} from '../../../../src/reconcilers/eni-attachment/plan-attachment.js';
import { anAttachment, anENIAttachment, anEni, INSTANCE_B, NOW } from '../../../support/objects.js';

const rules: RemovalRules = {
  untouched: true,
  detachmentTimeoutMs: 60_000,
  forceDetach: false,
  detachingSince: NOW - 1_000,
  now: NOW,
};
const inUse = (attachment = {}) =>
  anEni({ status: 'in-use', attachment: anAttachment(attachment) });

describe('planAttachment', () => {
  const table: [string, Parameters<typeof planAttachment>, object][] = [
    ['makes an ENI where there is none', [anENIAttachment(), undefined], { do: 'create' }],
    [
      'makes sure before it replaces an ENI that is not to be seen',
      [anENIAttachment({ status: { eniID: 'eni-00000000000000001' } }), undefined],
      { do: 'confirmLoss', eniId: 'eni-00000000000000001' },
    ],
    ['attaches a free ENI', [anENIAttachment(), anEni()], { do: 'attach' }],
    [
      'waits for an ENI that is pending',
      [anENIAttachment(), anEni({ status: 'pending' })],
      { do: 'observe' },
    ],
    [
      'sets deleteOnTermination while EC2 is still attaching',
      [anENIAttachment(), inUse({ status: 'attaching', deleteOnTermination: false })],
      { do: 'modify', settled: false },
    ],
    [
      'leaves deleteOnTermination alone where it is not asked for',
      [
        anENIAttachment({ spec: { deleteOnTermination: false } }),
        inUse({ deleteOnTermination: false }),
      ],
      { do: 'nothing' },
    ],
    [
      'waits for EC2 to finish attaching',
      [anENIAttachment(), inUse({ status: 'attaching' })],
      { do: 'observe' },
    ],
    [
      'waits while a user detaches it',
      [anENIAttachment(), inUse({ status: 'detaching' })],
      { do: 'observe' },
    ],
    ['does nothing where all is as asked', [anENIAttachment(), inUse()], { do: 'nothing' }],
    [
      'attaches again what was detached',
      [anENIAttachment(), anEni({ attachment: anAttachment({ status: 'detached' }) })],
      { do: 'attach' },
    ],
  ];
  for (const [title, [attachment, eni], expected] of table) {
    it(title, () => {
      expect(planAttachment(attachment, eni)).to.deep.include(expected);
    });
  }

  it('names where an ENI is that sits elsewhere, and touches it not', () => {
    const step = planAttachment(anENIAttachment(), inUse({ instanceId: INSTANCE_B }));
    expect(step).to.have.nested.property('blocked.reason', 'InterfaceInUse');
    expect(step).to.have.nested.property('blocked.message').that.includes(INSTANCE_B);
  });

  it('changes groups and description in place, whatever the order of the groups', () => {
    const attachment = anENIAttachment({
      spec: { securityGroupIDs: ['sg-00000002', 'sg-00000001'], description: 'fast' },
    });
    const same = anEni({ ...inUse(), securityGroupIds: ['sg-00000001', 'sg-00000002'] });
    expect(planAttachment(attachment, same)).to.deep.include({ changes: { description: 'fast' } });
    expect(planAttachment(attachment, inUse())).to.have.deep.nested.property(
      'changes.securityGroupIds',
      ['sg-00000002', 'sg-00000001'],
    );
  });
});

describe('planAttachment, of tags', () => {
  const ownTags = { [TAGS.attachmentUID]: 'uid-of-storage-aaaaaaaaaa' };

  it('puts our own tags back where a user took them off', () => {
    expect(planAttachment(anENIAttachment(), inUse(), { ownTags })).to.deep.include({
      changes: { tags: { set: ownTags, remove: [] } },
    });
  });

  it('takes away a user’s tag that we set, and no other', () => {
    const eni = { ...inUse(), tags: { team: 'storage', cost: '1', theirs: 'x' } };
    const attachment = anENIAttachment({
      spec: { tags: { team: 'net' } },
      status: { tagKeys: ['cost', 'team'] },
    });
    expect(planAttachment(attachment, eni)).to.deep.include({
      changes: { tags: { set: { team: 'net' }, remove: ['cost'] } },
    });
  });
});

describe('planAttachment, of retained ENIs', () => {
  const kept = anEni({ tags: { [TAGS.retained]: 'storage', [TAGS.node]: 'node-a' } });

  it('takes up the one that was kept for the node, in the subnet', () => {
    expect(
      planAttachment(anENIAttachment(), undefined, { untouched: true, retained: [kept] }),
    ).to.include({
      do: 'adopt',
      eniId: kept.id,
    });
    for (const other of [
      { ...kept, subnetId: 'subnet-0000000b' },
      { ...kept, tags: { ...kept.tags, [TAGS.node]: 'node-b' } },
      { ...kept, status: 'in-use' },
    ]) {
      const step = planAttachment(anENIAttachment(), undefined, {
        untouched: true,
        retained: [other],
      });
      expect(step.do).to.equal('create');
    }
  });

  it('goes on with an adoption that was begun, and lets a Create that was sent go first', () => {
    const begun = anENIAttachment({ status: { phase: 'Attaching', eniID: kept.id } });
    expect(planAttachment(begun, undefined, { retained: [kept] }).do).to.equal('adopt');
    const created = anENIAttachment({ status: { phase: 'Creating' } });
    for (const [attachment, untouched] of [
      [created, true],
      [anENIAttachment(), false],
    ] as const) {
      const step = planAttachment(attachment, undefined, { untouched, retained: [kept] });
      expect(step.do).to.equal('create');
    }
  });

  it('never deletes the ENI of an attachment that retains it, known or not', () => {
    const retaining = anENIAttachment({
      spec: { reclaimPolicy: 'Retain' },
      status: { phase: 'Ready', eniID: kept.id },
    });
    for (const eni of [undefined, anEni(), kept, inUse(), inUse({ status: 'detaching' })]) {
      expect(planRemoval(retaining, eni, rules).do).not.to.equal('delete');
    }
  });
});

describe('planRemoval', () => {
  const deleted = (status?: object) =>
    anENIAttachment({
      metadata: { deletionTimestamp: new Date(NOW - 1_000).toISOString() },
      ...(status ? { status } : {}),
    });

  const table: [string, Parameters<typeof planRemoval>, object][] = [
    ['detaches what is attached', [deleted(), inUse(), rules], { do: 'detach', force: false }],
    [
      'leaves an ENI where a user attached it',
      [deleted(), inUse({ instanceId: INSTANCE_B }), rules],
      { do: 'blocked' },
    ],
    [
      'waits for a detachment',
      [deleted(), inUse({ status: 'detaching' }), rules],
      { do: 'observe' },
    ],
    ['deletes what is free', [deleted(), anEni(), rules], { do: 'delete' }],
    [
      'waits for what is neither',
      [deleted(), anEni({ status: 'detaching' }), rules],
      { do: 'observe' },
    ],
    [
      'asks EC2 itself about an ENI that reads do not show',
      [deleted({ phase: 'Attached', eniID: 'eni-1' }), undefined, rules],
      { do: 'delete', eniId: 'eni-1' },
    ],
    [
      'lets an attachment go that never got to Create',
      [deleted(), undefined, rules],
      { do: 'release' },
    ],
    [
      'makes sure where a Create may have been sent',
      [deleted({ phase: 'Creating' }), undefined, rules],
      { do: 'confirmAbsence' },
    ],
    [
      'makes sure where a Create may have been sent that no status tells of',
      [deleted(), undefined, { ...rules, untouched: false }],
      { do: 'confirmAbsence' },
    ],
    [
      'makes sure where a Create was refused',
      [deleted({ phase: 'Failed' }), undefined, rules],
      { do: 'confirmAbsence' },
    ],
  ];
  for (const [title, args, expected] of table) {
    it(title, () => {
      expect(planRemoval(...args)).to.deep.include(expected);
    });
  }

  it('reports a late detachment, and forces it only where that is allowed', () => {
    const late = { ...rules, now: NOW + 120_000 };
    const detaching = inUse({ status: 'detaching' });
    expect(planRemoval(deleted(), detaching, late)).to.have.nested.property(
      'blocked.reason',
      'DetachmentLate',
    );
    expect(planRemoval(deleted(), detaching, { ...late, forceDetach: true })).to.deep.include({
      do: 'detach',
      force: true,
    });
  });

  it('never releases an attachment while EC2 has, or may have, an ENI of it', () => {
    const statuses = fc.constantFrom(
      'pending',
      'available',
      'attaching',
      'in-use',
      'detaching',
      'odd',
    );
    const attachmentStatus = fc.constantFrom(
      'attaching',
      'attached',
      'detaching',
      'detached',
      'odd',
    );
    const eni = fc
      .record({ status: statuses, attachment: fc.option(attachmentStatus, { nil: undefined }) })
      .map(({ status, attachment }) =>
        anEni({
          status,
          ...(attachment ? { attachment: anAttachment({ status: attachment }) } : {}),
        }),
      );
    fc.assert(
      fc.property(
        eni,
        fc.constantFrom('Pending', 'Attached', 'Failed', undefined),
        (found, phase) => {
          const step = planRemoval(deleted(phase ? { phase } : undefined), found, rules);
          expect(step.do).not.to.equal('release');
        },
      ),
    );
  });
});
