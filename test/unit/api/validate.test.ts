import { expect } from 'chai';
import { eniAttachmentSpecFaults, nodeENISpecFaults } from '../../../src/api/validate.js';
import { aNodeENI, anENIAttachment } from '../../support/objects.js';

const valid = aNodeENI().spec;

describe('nodeENISpecFaults', () => {
  it('finds none in a valid spec', () => {
    expect(nodeENISpecFaults(valid)).to.deep.equal([]);
  });

  for (const [title, spec, told] of [
    [
      'an empty selector',
      { ...valid, nodeSelector: {} },
      'an empty selector would select every node',
    ],
    ['no selector', { ...valid, nodeSelector: undefined }, 'nodeSelector must be a map of labels'],
    ['a bad label value', { ...valid, nodeSelector: { a: 'b c' } }, '"b c" for a'],
    ['no subnet', { ...valid, subnetID: undefined }, 'none is set'],
    [
      'empty lists of subnets',
      { ...valid, subnetID: undefined, subnetIDs: [], subnetNames: [] },
      'at least one of subnetID',
    ],
    [
      'an empty list of groups',
      { ...valid, securityGroupIDs: [] },
      'at least one of securityGroupIDs',
    ],
    ['a bad subnet id', { ...valid, subnetID: 'subnet1' }, 'not subnet1'],
    [
      'the launch interface’s index',
      { ...valid, deviceIndex: 0 },
      'deviceIndex 0 of network card 0 is the interface that the instance was launched with',
    ],
    ['a fraction', { ...valid, deviceIndex: 1.5 }, 'deviceIndex must be an integer number'],
    ['an MTU that no ENI has', { ...valid, mtu: 9002 }, 'mtu must not be greater than 9001'],
    ...[
      'Networking.k8s.aws/cluster-id',
      'NODE.k8s.amazonaws.com/no_manage',
      'AWS:x',
      'eks:cluster-name',
      'kubernetes.io/cluster/other',
    ].map(
      (key) =>
        [`the reserved tag ${key}`, { ...valid, tags: { [key]: 'x' } }, `"${key}", which`] as const,
    ),
    ...['constructor', '__proto__'].flatMap((key) => {
      const map = JSON.parse(`{"${key}": "x"}`);
      const ipam = { type: 'static', ranges: [[map]] };
      const networkAttachment = { namespaces: ['a'], type: 'ipvlan', ipam };
      return [
        [`the tag ${key}`, { ...valid, tags: map }, `spec.tags must not have the key ${key}`],
        [
          `the label ${key}`,
          { ...valid, nodeSelector: map },
          `spec.nodeSelector must not have the key ${key}`,
        ],
        [
          `the key ${key} in ipam`,
          { ...valid, networkAttachment },
          `spec.networkAttachment.ipam.ranges.0.0 must not have the key ${key}`,
        ],
      ] as const;
    }),
    ...(
      [
        [
          { type: 'host-local', subnet: '10.0.0.0/8', dataDir: '/etc/cron.d' },
          'the field "dataDir"',
        ],
        [{ type: 'whereabouts', range: '10.0.0.0/8', log_file: '/x' }, 'the field "log_file"'],
        [{ type: 'calico-ipam' }, 'must have one of the types host-local, static, dhcp'],
        [{ type: 'static', addresses: [{ address: 'x' }] }, 'has a value in addresses'],
      ] as const
    ).map(
      ([ipam, told]) =>
        [
          `the ipam ${JSON.stringify(ipam)}`,
          {
            ...valid,
            interfaceName: 'eni-a',
            networkAttachment: { namespaces: ['a'], type: 'ipvlan', ipam },
          },
          `networkAttachment.ipam ${told.startsWith('the field') ? `of type ${ipam.type} must not have ${told}` : told}`,
        ] as const,
    ),
    [
      'a name that a kernel gives',
      { ...valid, interfaceName: 'eth1' },
      'such as eth0, ens5 or cni0',
    ],
    [
      'UDP over ENA Express that is off',
      { ...valid, enaExpress: { enabled: false, udp: true } },
      'enaExpress.udp needs enaExpress.enabled: set enabled to true, or remove udp',
    ],
    [
      'an object without any setting',
      { ...valid, connectionTracking: {} },
      'connectionTracking must have at least one of tcpEstablishedTimeout, udpStreamTimeout, udpTimeout: set one, or remove connectionTracking',
    ],
    [
      'a list instead of an object',
      { ...valid, updatePolicy: [] },
      'updatePolicy must be an object',
    ],
    ['something else altogether', 'subnet-0a', 'spec must be an object'],
    ['nothing', undefined, 'spec must be an object'],
  ] as const) {
    it(`names the field and the value of ${title}`, () => {
      expect(nodeENISpecFaults(spec).join('; ')).to.include(told);
    });
  }

  it('counts a member that is null as not set, as the API server does', () => {
    expect(nodeENISpecFaults({ ...valid, mtu: null, tags: { team: null } })).to.deep.equal([]);
    const faults = nodeENISpecFaults({ ...valid, ipv4: { prefixes: null } });
    expect(faults.join()).to.include(
      'ipv4 must have at least one of primary, secondaryAddresses, prefixes',
    );
  });

  it('accepts tags that only resemble reserved ones', () => {
    const tags = { name: 'x', 'kubernetes.io/role': 'x', awsome: 'x' };
    expect(nodeENISpecFaults({ ...valid, tags })).to.deep.equal([]);
  });

  it('reports every fault at once', () => {
    expect(nodeENISpecFaults({ nodeSelector: {} })).to.have.length(3);
  });
});

describe('eniAttachmentSpecFaults', () => {
  it('finds none in what the controller writes', () => {
    expect(eniAttachmentSpecFaults(anENIAttachment().spec)).to.deep.equal([]);
  });

  it('finds what is not an instance', () => {
    expect(
      eniAttachmentSpecFaults({ ...anENIAttachment().spec, instanceID: 'web-1' }),
    ).to.have.length(1);
  });
});
