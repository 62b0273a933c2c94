import { expect } from 'chai';
import { MANAGER_NAME, TAGS } from '../../../../src/api/names.js';
import type { Eni } from '../../../../src/aws/ec2-gateway.js';
import {
  impostors,
  isAdoptable,
  ownEni,
} from '../../../../src/reconcilers/eni-attachment/eni-identity.js';
import { anAttachment, anENIAttachment, anEni, INSTANCE_B } from '../../../support/objects.js';

const CLUSTER = 'cluster-1';
const record = anENIAttachment();
const TAGGED = {
  [TAGS.attachmentUID]: record.metadata.uid,
  [TAGS.clusterID]: CLUSTER,
  [TAGS.managedBy]: MANAGER_NAME,
  [TAGS.nodeENI]: record.spec.nodeENI,
};
const tagged = (overrides: Partial<Eni> = {}) => anEni({ tags: TAGGED, ...overrides });
const attached = (overrides: Partial<Eni> = {}) =>
  tagged({ status: 'in-use', attachment: anAttachment(), ...overrides });

const known = (...enis: Eni[]) => ({
  clusterID: CLUSTER,
  get: (id: string) => enis.find((eni) => eni.id === id),
  byAttachmentUID: (uid: string) => enis.filter(({ tags }) => tags[TAGS.attachmentUID] === uid),
});

describe('ownEni', () => {
  const named = anENIAttachment({ status: { eniID: 'eni-9' } });

  it('stays with the ENI that the status names, whatever else carries its tags', () => {
    const enis = known(attached({ id: 'eni-1' }), tagged({ id: 'eni-9' }));
    expect(ownEni(enis, named)?.id).to.equal('eni-9');
    expect(impostors(enis, named).map(({ id }) => id)).to.deep.equal(['eni-1']);
  });

  it('knows the ENI that the status names where someone took its tags off', () => {
    expect(ownEni(known(tagged({ id: 'eni-9', tags: {} })), named)?.id).to.equal('eni-9');
  });

  for (const [what, eni] of Object.entries({
    'in another subnet': tagged({ id: 'eni-9', subnetId: 'subnet-0000000b' }),
    'managed by an AWS service': tagged({ id: 'eni-9', requesterManaged: true }),
    'of another attachment': tagged({ id: 'eni-9', tags: { [TAGS.attachmentUID]: 'other' } }),
    'of another cluster': tagged({ id: 'eni-9', tags: { ...TAGGED, [TAGS.clusterID]: 'other' } }),
  })) {
    it(`does not take an ENI that is ${what}, even where the status names it`, () => {
      expect(ownEni(known(eni), named)).to.equal(undefined);
    });
  }

  it('finds the ENI of a Create whose answer was lost: one in its slot first, else the first by id', () => {
    const free = [tagged({ id: 'eni-a' }), tagged({ id: 'eni-c' })];
    expect(ownEni(known(...free, attached({ id: 'eni-b' })), record)?.id).to.equal('eni-b');
    expect(ownEni(known(...free), record)?.id).to.equal('eni-a');
    expect(ownEni(known(), record)).to.equal(undefined);
  });

  it('does not take one that another instance uses, nor one without all our tags', () => {
    const elsewhere = attached({ attachment: anAttachment({ instanceId: INSTANCE_B }) });
    const partly = tagged({ tags: { [TAGS.attachmentUID]: record.metadata.uid } });
    expect(ownEni(known(elsewhere), record)).to.equal(undefined);
    expect(ownEni(known(partly), record)).to.equal(undefined);
  });
});

describe('isAdoptable', () => {
  const lost = attached({ tags: { ...TAGGED, [TAGS.attachmentUID]: 'lost' } });
  const rules = { clusterID: CLUSTER, isAlive: () => false };

  it('takes an ENI of the NodeENI in the wanted slot and subnet whose attachment is gone', () => {
    expect(isAdoptable(lost, record, rules)).to.equal(true);
  });

  for (const [what, eni] of Object.entries({
    'is free': { ...lost, attachment: undefined as never, status: 'available' },
    'sits at another device index': { ...lost, attachment: anAttachment({ deviceIndex: 2 }) },
    'is being detached': { ...lost, attachment: anAttachment({ status: 'detaching' }) },
    'is in another subnet': { ...lost, subnetId: 'subnet-0000000b' },
    'belongs to another NodeENI': { ...lost, tags: { ...lost.tags, [TAGS.nodeENI]: 'other' } },
    'belongs to another cluster': { ...lost, tags: { ...lost.tags, [TAGS.clusterID]: 'other' } },
    'is managed by an AWS service': { ...lost, requesterManaged: true },
    'carries no UID': { ...lost, tags: { ...TAGGED, [TAGS.attachmentUID]: undefined as never } },
  })) {
    it(`leaves one alone that ${what}`, () => {
      expect(isAdoptable(eni, record, rules)).to.equal(false);
    });
  }

  it('leaves one alone that has an attachment', () => {
    expect(isAdoptable(lost, record, { ...rules, isAlive: () => true })).to.equal(false);
  });
});
