import { expect } from 'chai';
import { planAdoption } from '../../../src/cli/adopt/plan-adoption.js';
import { deletable, orphanViews } from '../../../src/cli/orphans/orphan-view.js';
import { aNode, aNodeENI, anENIAttachment, anEni, aSubnet, NOW } from '../../support/objects.js';

const TAGS = {
  'networking.k8s.aws/cluster-id': 'cluster',
  'networking.k8s.aws/managed-by': 'eni-operator',
  'networking.k8s.aws/attachment-uid': 'nobody',
};
const eni = (id: string, change: object = {}, tags: object = {}) =>
  anEni({ id, tags: { ...TAGS, ...tags }, ...change });
const attachment = {
  attachmentId: 'eni-attach-1',
  instanceId: 'i-0aaaaaaaaaaaaaaaa',
  deviceIndex: 1,
  networkCardIndex: 0,
  status: 'attached',
  deleteOnTermination: true,
};

describe('kubectl eni orphans, the rules', () => {
  const attachments = [anENIAttachment()];
  const known = eni(
    'eni-known',
    {},
    { 'networking.k8s.aws/attachment-uid': attachments[0]?.metadata.uid },
  );

  it('tells free orphans, those in use, and retained ENIs from what is none', () => {
    const enis = [
      known,
      eni('eni-free'),
      eni('eni-used', { status: 'in-use', attachment }),
      eni('eni-kept', {}, { 'networking.k8s.aws/retained': 'storage' }),
      eni('eni-service', { requesterManaged: true }),
      anEni({ id: 'eni-other', tags: { ...TAGS, 'networking.k8s.aws/managed-by': 'someone' } }),
    ];
    const views = orphanViews({ enis, attachments, clusterID: 'cluster' });
    expect(views.map(({ eniID, state }) => [eniID, state])).to.deep.equal([
      ['eni-free', 'free'],
      ['eni-kept', 'retained'],
      ['eni-used', 'inUse'],
    ]);
  });

  it('deletes only what has stayed as it was for the grace period, and is still an orphan', () => {
    const first = eni('eni-a');
    const sightings = new Map([['eni-a', { eni: first, since: NOW }]]);
    const deletedAfter = (ms: number, now = first, known: typeof attachments = []) =>
      deletable({
        enis: [now],
        attachments: known,
        clusterID: 'cluster',
        sightings,
        gracePeriodMs: 30_000,
        now: NOW + ms,
      });
    expect(deletedAfter(30_000)).to.deep.equal(['eni-a']);
    expect(deletedAfter(29_999)).to.deep.equal([]);
    expect(deletedAfter(30_000, { ...first, description: 'changed' })).to.deep.equal([]);
    expect(
      deletedAfter(30_000, eni('eni-a', {}, { 'networking.k8s.aws/retained': 'x' })),
    ).to.deep.equal([]);
    expect(
      deletedAfter(30_000, first, [anENIAttachment({ metadata: { uid: 'nobody' } })]),
    ).to.deep.equal([]);
    expect(deletedAfter(30_000, eni('eni-unseen'))).to.deep.equal([]);
  });
});

describe('kubectl eni adopt, the rules', () => {
  const subnet = aSubnet('subnet-0000000a');
  const input = {
    eni: anEni({ id: 'eni-a' }),
    nodeENI: aNodeENI({ reclaimPolicy: 'Retain' }),
    node: aNode('node-a'),
    network: {
      subnets: [{ entry: subnet.id, by: 'id' as const, subnets: [subnet] }],
      securityGroups: [],
      associatedGroups: new Map(),
    },
    attachments: [],
    clusterID: 'cluster',
  };

  it('sets the tags of a retained ENI', () => {
    expect(planAdoption(input)).to.deep.equal({
      tags: {
        'networking.k8s.aws/cluster-id': 'cluster',
        'networking.k8s.aws/managed-by': 'eni-operator',
        'networking.k8s.aws/node-eni': 'storage',
        'networking.k8s.aws/node': 'node-a',
        'networking.k8s.aws/retained': 'storage',
        'node.k8s.amazonaws.com/no_manage': 'true',
      },
    });
  });

  const faults: [what: string, change: Partial<typeof input>, fault: RegExp][] = [
    ['an ENI in use', { eni: anEni({ status: 'in-use', attachment }) }, /Detach it first/],
    ['an ENI of a service', { eni: anEni({ requesterManaged: true }) }, /AWS service/],
    [
      'an ENI of another cluster',
      { eni: anEni({ tags: { 'networking.k8s.aws/cluster-id': 'other' } }) },
      /another cluster, other/,
    ],
    [
      'an ENI that has an owner',
      {
        eni: anEni({ tags: { 'networking.k8s.aws/attachment-uid': 'uid' } }),
        attachments: [
          anENIAttachment({ metadata: { uid: 'uid' }, spec: { nodeName: 'other' } }),
        ] as never,
      },
      /belongs to ENIAttachment/,
    ],
    ['a NodeENI that deletes', { nodeENI: aNodeENI() }, /reclaimPolicy: Retain/],
    [
      'a node that has one',
      { attachments: [anENIAttachment()] as never },
      /has ENIAttachment .* already/,
    ],
    [
      'another zone',
      { node: aNode('node-a', { zone: 'us-west-2b' }) },
      /cannot move to another zone/,
    ],
    [
      'an address outside the pool',
      {
        eni: anEni({ privateIpAddress: '10.0.1.9' }),
        nodeENI: aNodeENI({
          reclaimPolicy: 'Retain',
          ipv4: { primary: { fromPool: ['10.0.1.64/26'] } },
        }),
      },
      /10\.0\.1\.9, is not in spec\.ipv4\.primary\.fromPool/,
    ],
    ['another subnet', { eni: anEni({ subnetId: 'subnet-0000000b' }) }, /wants subnet-0000000a/],
  ];
  for (const [what, change, fault] of faults) {
    it(`refuses ${what}, and says what to do`, () => {
      const adoption = planAdoption({ ...input, ...change });
      expect('faults' in adoption && adoption.faults).to.have.length(1);
      expect('faults' in adoption && adoption.faults[0]).to.match(fault);
    });
  }
});
