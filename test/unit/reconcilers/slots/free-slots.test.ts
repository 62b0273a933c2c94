import { expect } from 'chai';
import { chooseIndex, occupiedIndexes } from '../../../../src/reconcilers/slots/slots.js';
import { anENIAttachment, anInstance, INSTANCE_A } from '../../../support/objects.js';

const none = new Set<number>();
const choice = { attachment: undefined, networkCardIndex: 0, occupied: none, chosen: none };

describe('chooseIndex', () => {
  it('picks the lowest index that is free', () => {
    expect(chooseIndex(choice)).to.equal(1);
    expect(chooseIndex({ ...choice, occupied: new Set([0, 1, 3]), chosen: new Set([2]) })).to.equal(
      4,
    );
  });

  it('begins at 1 on a further network card, whose index 0 is free too', () => {
    const card = { ...choice, networkCardIndex: 3 };
    expect(chooseIndex(card)).to.equal(1);
    expect(chooseIndex({ ...card, occupied: new Set([1]) })).to.equal(0);
    expect(chooseIndex({ ...card, occupied: new Set([0, 1]) })).to.equal(2);
  });

  it('keeps the index that an attachment has', () => {
    expect(
      chooseIndex({ ...choice, attachment: anENIAttachment({ spec: { deviceIndex: 5 } }) }),
    ).to.equal(5);
  });

  it('gives up an index that another program took before the ENI was attached', () => {
    const attachment = anENIAttachment({ spec: { deviceIndex: 1 } });
    expect(chooseIndex({ ...choice, attachment, occupied: new Set([1]) })).to.equal(2);
    const attached = { ...attachment, status: { attachmentID: 'eni-attach-1' } };
    expect(chooseIndex({ ...choice, attachment: attached, occupied: new Set([1]) })).to.equal(1);
  });
});

describe('occupiedIndexes', () => {
  it('counts what EC2 shows and what attachments were promised, but not the asker’s own', () => {
    const instance = anInstance({
      interfaces: [
        { eniId: 'eni-launch', deviceIndex: 0, networkCardIndex: 0 },
        { eniId: 'eni-own', deviceIndex: 1, networkCardIndex: 0 },
        { eniId: 'eni-card-1', deviceIndex: 4, networkCardIndex: 1 },
      ],
    });
    const own = anENIAttachment({ name: 'own', status: { eniID: 'eni-own' } });
    const other = anENIAttachment({ name: 'other', spec: { deviceIndex: 3 } });
    const occupied = occupiedIndexes(new Map([[INSTANCE_A, instance]]), () => [own, other]);
    const card = { instanceID: INSTANCE_A, networkCardIndex: 0, attachmentName: 'own' };
    expect([...occupied(card)]).to.have.members([0, 3]);
    expect([...occupied({ ...card, networkCardIndex: 1 })]).to.deep.equal([4]);
  });
});
