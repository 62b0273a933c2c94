import { expect } from 'chai';
import type { Eni } from '../../../../tools/ec2-simulator/index.js';
import {
  deviations,
  duplicates,
  type View,
  type WantedEni,
} from '../../../chaos/crash-points/expectation.js';
import { aNodeENI, anENIAttachment, INSTANCE_A } from '../../../support/objects.js';

const WANTED: WantedEni = {
  node: 'node-a',
  instanceID: INSTANCE_A,
  nodeENI: 'storage',
  deviceIndex: 1,
  subnetID: 'subnet-0000000a',
  securityGroupID: 'sg-00000001',
  deleteOnTermination: true,
  clusterID: 'a-cluster',
};

const ENI: Eni = {
  id: 'eni-00000000000000001',
  sequence: 1,
  createdAt: 0,
  subnetId: WANTED.subnetID,
  vpcId: 'vpc-00000001',
  zone: 'us-west-2a',
  description: '',
  interfaceType: 'interface',
  macAddress: '02:00:00:00:00:01',
  privateIpAddresses: ['10.0.1.10'],
  ipv4Prefixes: [],
  ipv6Addresses: [],
  groupIds: [WANTED.securityGroupID],
  sourceDestCheck: true,
  connectionTracking: {},
  ipv6Prefixes: [],
  associations: [],
  primaryIpv6: false,
  requesterManaged: false,
  tags: {
    Name: 'storage-aaaaaaaaaa',
    'networking.k8s.aws/attachment-uid': 'uid-of-storage-aaaaaaaaaa',
    'networking.k8s.aws/cluster-id': 'a-cluster',
    'networking.k8s.aws/node-eni': 'storage',
    'networking.k8s.aws/node': 'node-a',
    'node.k8s.amazonaws.com/no_manage': 'true',
  },
  attachment: {
    id: 'eni-attach-00000000000000001',
    instanceId: INSTANCE_A,
    deviceIndex: 1,
    networkCardIndex: 0,
    status: 'attached',
    deleteOnTermination: true,
    attachTime: 0,
  },
};

const RECORD = anENIAttachment({
  status: {
    phase: 'Ready',
    privateIPAddresses: ['10.0.1.10'],
    eniID: ENI.id,
    attachmentID: 'eni-attach-00000000000000001',
  },
});

const withCount = (count: number) => ({
  ...aNodeENI(),
  status: { desired: count, attached: count, ready: count },
});

const READY: View = { enis: [ENI], attachments: [RECORD], nodeENIs: [withCount(1)] };
const NOTHING: View = { enis: [], attachments: [], nodeENIs: [] };

const labelled = { labelled: true, nodeENIsDeleted: false, secondaryAddresses: 0 };
const unlabelled = { labelled: false, nodeENIsDeleted: false, secondaryAddresses: 0 };
const deleted = { labelled: true, nodeENIsDeleted: true, secondaryAddresses: 0 };

describe('what a life is expected to lead to', () => {
  const attachedAs = (change: object): View => ({
    ...READY,
    enis: [{ ...ENI, attachment: { ...ENI.attachment, ...change } as Eni['attachment'] & object }],
  });

  it('is one ENI for each node and NodeENI, as the NodeENI asks for it', () => {
    expect(deviations(READY, labelled, [WANTED])).to.deep.equal([]);
  });

  const WRONG: [string, View, RegExp][] = [
    ['no ENIAttachment', { ...READY, attachments: [] }, /no ENIAttachment/],
    ['no ENI', { ...READY, enis: [] }, /no ENI; the ENIAttachment is Ready/],
    ['one ENI too many', { ...READY, enis: [ENI, { ...ENI, tags: {} }] }, /2 ENIs instead of 1/],
    ['another slot', attachedAs({ deviceIndex: 2 }), /device index is 2, not 1/],
    ['another instance', attachedAs({ instanceId: 'i-other' }), /instance is i-other/],
    ['an ENI on its way', attachedAs({ status: 'attaching' }), /attachment is attaching/],
    ['EC2 to keep it', attachedAs({ deleteOnTermination: false }), /deleteOnTermination is false/],
    [
      'a tag missing',
      { ...READY, enis: [{ ...ENI, tags: { ...ENI.tags, 'networking.k8s.aws/node': '' } }] },
      /node tag is , not node-a/,
    ],
    [
      'an ENIAttachment that is behind',
      {
        ...READY,
        attachments: [anENIAttachment({ status: { ...RECORD.status, phase: 'Creating' } })],
      },
      /ENIAttachment phase is Creating, not Ready/,
    ],
    [
      'another address than the pool gave it',
      { ...READY, enis: [{ ...ENI, privateIpAddresses: ['10.0.1.11'] }] },
      /address is 10.0.1.11, not 10.0.1.10/,
    ],
    [
      'an Elastic IP address that nothing asked for',
      {
        ...READY,
        enis: [
          {
            ...ENI,
            associations: [
              {
                id: 'eipassoc-1',
                allocationId: 'eipalloc-1',
                publicIp: '198.18.0.1',
                privateIpAddress: '10.0.1.10',
              },
            ],
          },
        ],
      },
      /Elastic IP addresses is 1, not 0/,
    ],
    ['a status that is behind', { ...READY, nodeENIs: [withCount(0)] }, /says 0 desired/],
  ];
  for (const [what, view, complaint] of WRONG) {
    it(`is not met by ${what}`, () => {
      expect(deviations(view, labelled, [{ ...WANTED, address: '10.0.1.10' }]).join('\n')).to.match(
        complaint,
      );
    });
  }

  it('is no ENI and no ENIAttachment without the label, and a NodeENI that says so', () => {
    expect(
      deviations({ ...NOTHING, nodeENIs: [withCount(0)] }, unlabelled, [WANTED]),
    ).to.deep.equal([]);
    expect(deviations(READY, unlabelled, [WANTED])).to.have.length(3);
  });

  it('is nothing at all once the NodeENIs are deleted', () => {
    expect(deviations(NOTHING, deleted, [WANTED])).to.deep.equal([]);
    expect(deviations(READY, deleted, [WANTED])).to.deep.equal([
      '1 ENIs instead of 0',
      '1 ENIAttachments instead of 0',
      '1 NodeENIs instead of 0',
    ]);
  });

  it('is never two ENIs of one attachment', () => {
    expect(duplicates(READY)).to.deep.equal([]);
    expect(duplicates({ ...READY, enis: [ENI, { ...ENI, id: 'eni-other' }] })).to.deep.equal([
      `${ENI.id} and eni-other are all of ENIAttachment uid-of-storage-aaaaaaaaaa`,
    ]);
  });
});
