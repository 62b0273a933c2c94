import { expect } from 'chai';
import fc from 'fast-check';
import type { ElasticIPStatus } from '../../../../../src/api/eni-attachment.js';
import type { ElasticIp, PublicAddress } from '../../../../../src/aws/ec2-gateway.js';
import {
  chooseElasticIp,
  planElasticIp,
} from '../../../../../src/reconcilers/eni-attachment/addresses/plan-elastic-ip.js';
import {
  planAttachment,
  planRemoval,
} from '../../../../../src/reconcilers/eni-attachment/plan-attachment.js';
import { anAttachment, anENIAttachment, anEni, NOW } from '../../../../support/objects.js';

const edge = { tags: { use: 'edge' } };
const claim: ElasticIPStatus = {
  allocationID: 'eipalloc-1',
  publicIP: '198.18.0.1',
  selectedBy: edge,
};
const confirmed = { ...claim, associationID: 'eipassoc-1' };
const ours: PublicAddress = {
  publicIp: '198.18.0.1',
  allocationId: 'eipalloc-1',
  associationId: 'eipassoc-1',
};
const another = { ...ours, associationId: 'eipassoc-2' };
const users = { publicIp: '198.18.0.2', allocationId: 'eipalloc-2', associationId: 'eipassoc-3' };
const awsOwned = { publicIp: '203.0.113.1' };
const own = (record: ElasticIPStatus) => ({ claim: record, associationId: 'eipassoc-1' });

describe('planElasticIp', () => {
  type Row = [
    title: string,
    wanted: typeof edge | undefined,
    recorded: ElasticIPStatus | undefined,
    shown: PublicAddress | undefined,
    step: object | undefined,
  ];
  const table: Row[] = [
    ['does nothing where nothing is asked for', undefined, undefined, undefined, undefined],
    ['leaves a user’s address where nothing is asked for', undefined, undefined, users, undefined],
    ['chooses an address', edge, undefined, undefined, { do: 'choose' }],
    ['is content with a user’s address', edge, undefined, users, undefined],
    ['is content with an address of AWS', edge, undefined, awsOwned, undefined],
    ['associates what it recorded', edge, claim, undefined, { do: 'associate', claim }],
    ['is content with what it associated', edge, confirmed, ours, undefined],
    ['knows what it recorded before a crash', edge, claim, ours, undefined],
    ['restores what a user ended', edge, confirmed, undefined, { do: 'restore', claim: confirmed }],
    [
      'forgets what a user replaced by the same address',
      edge,
      confirmed,
      another,
      { do: 'forget', claim: confirmed },
    ],
    ['forgets what a user replaced', edge, confirmed, users, { do: 'forget', claim: confirmed }],
    [
      'chooses again where the selection changed',
      { tags: { use: 'dmz' } },
      confirmed,
      ours,
      { do: 'choose', current: own(confirmed) },
    ],
    [
      'ends what it associated',
      undefined,
      confirmed,
      ours,
      { do: 'disassociate', associated: own(confirmed) },
    ],
    [
      'ends what it recorded before a crash',
      undefined,
      claim,
      ours,
      { do: 'disassociate', associated: own(claim) },
    ],
    [
      'leaves what a user made of the same',
      undefined,
      confirmed,
      another,
      { do: 'forget', claim: confirmed },
    ],
    ['leaves a user’s address', undefined, confirmed, users, { do: 'forget', claim: confirmed }],
    ['forgets what is no more', undefined, claim, undefined, { do: 'forget', claim }],
  ];
  for (const [title, elasticIP, recorded, publicAddress, step] of table) {
    it(title, () => {
      const record = anENIAttachment({
        spec: elasticIP ? { elasticIP } : {},
        status: recorded ? { elasticIP: recorded } : {},
      });
      const eni = anEni({
        status: 'in-use',
        attachment: anAttachment(),
        ...(publicAddress ? { publicAddress } : {}),
      });
      expect(planElasticIp(record, eni)).to.deep.equal(step);
      expect(planAttachment(record, eni)).to.deep.equal(
        step ? { do: 'elasticIP', next: step } : { do: 'nothing' },
      );
    });
  }

  it('comes after all other settings', () => {
    const record = anENIAttachment({ spec: { elasticIP: edge, description: 'new' } });
    const eni = anEni({ status: 'in-use', attachment: anAttachment() });
    expect(planAttachment(record, eni).do).to.equal('modify');
    const attaching = anEni({
      status: 'in-use',
      attachment: anAttachment({ status: 'attaching' }),
    });
    expect(planAttachment(anENIAttachment({ spec: { elasticIP: edge } }), attaching).do).to.equal(
      'observe',
    );
  });

  it('gives an address back before an ENI is kept, and leaves it to EC2 where the ENI is deleted', () => {
    const rules = {
      detachmentTimeoutMs: 60_000,
      forceDetach: false,
      detachingSince: NOW,
      untouched: false,
      now: NOW,
    };
    const eni = anEni({ publicAddress: ours });
    const status = { elasticIP: confirmed, eniID: eni.id };
    const kept = anENIAttachment({ spec: { elasticIP: edge, reclaimPolicy: 'Retain' }, status });
    expect(planRemoval(kept, eni, rules)).to.deep.equal({
      do: 'elasticIP',
      next: { do: 'disassociate', associated: own(confirmed) },
    });
    const deleted = anENIAttachment({ spec: { elasticIP: edge }, status });
    expect(planRemoval(deleted, eni, rules).do).to.equal('delete');
  });
});

describe('chooseElasticIp', () => {
  const address = (number: number, isFree = true): ElasticIp => ({
    allocationId: `eipalloc-${number}`,
    publicIp: `198.18.0.${number}`,
    ...(isFree ? {} : { association: { associationId: `eipassoc-${number}` } }),
  });
  const free = (): boolean => false;

  it('chooses a free address that nothing else has, the same one each time', () => {
    const some = fc.array(
      fc.record({ number: fc.integer({ min: 1, max: 20 }), isFree: fc.boolean() }),
    );
    const taken = fc.array(fc.integer({ min: 1, max: 20 }));
    fc.assert(
      fc.property(some, taken, fc.uuid(), (those, others, uid) => {
        const addresses = those.map(({ number, isFree }) => address(number, isFree));
        const isTaken = (id: string): boolean => others.some((each) => `eipalloc-${each}` === id);
        const chosen = chooseElasticIp({ addresses, isTaken, uid });
        const usable = addresses.filter(
          ({ association, allocationId }) => !association && !isTaken(allocationId),
        );
        expect(usable.length > 0).to.equal(chosen !== undefined);
        if (chosen) expect(usable).to.deep.include(chosen);
        const again = chooseElasticIp({ addresses: addresses.toReversed(), isTaken, uid });
        expect(again?.allocationId).to.equal(chosen?.allocationId);
      }),
    );
  });

  it('spreads attachments that choose at the same time over the addresses', () => {
    const addresses = Array.from({ length: 10 }, (_, number) => address(number));
    const chosen = Array.from(
      { length: 100 },
      (_, uid) => chooseElasticIp({ addresses, isTaken: free, uid: `uid-${uid}` })?.allocationId,
    );
    expect(new Set(chosen).size).to.equal(10);
  });
});
