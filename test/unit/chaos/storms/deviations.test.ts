import { expect } from 'chai';
import type { ENIAttachment } from '../../../../src/api/eni-attachment.js';
import { TAGS } from '../../../../src/api/names.js';
import type { NodeENI } from '../../../../src/api/node-eni.js';
import { DEFAULT_IDS, type Eni } from '../../../../tools/ec2-simulator/index.js';
import { deviations, type View } from '../../../chaos/storms/deviations.js';
import { type Intent, intentOf } from '../../../chaos/storms/intent.js';
import { Model, type ModelNode } from '../../../chaos/storms/model.js';
import { aNodeENI, anENIAttachment } from '../../../support/objects.js';

const NODE: ModelNode = {
  name: 'node-1',
  instanceID: 'i-0aaaaaaaaaaaaaaaa',
  zone: 'a',
  size: 'large',
  roles: new Set(['storms/red']),
  instance: 'running',
};
const SUBNET = DEFAULT_IDS.subnets.net1A;
const GROUP = DEFAULT_IDS.groups.net1;

function aModel(): Model {
  const model = new Model();
  model.nodes.set(NODE.name, { ...NODE });
  const nodeSelector = { 'storms/red': 'true' };
  const spec = {
    nodeSelector,
    subnetName: 'net1',
    securityGroupIDs: [GROUP],
    tags: { team: 'red' },
    ipv4: { primary: { fromPool: ['10.0.64.0/24'] } },
  };
  model.nodeENIs.set('storm-1', { name: 'storm-1', spec });
  return model;
}

const RECORD: ENIAttachment = anENIAttachment({
  spec: {
    nodeENI: 'storm-1',
    nodeName: NODE.name,
    instanceID: NODE.instanceID,
    subnetID: SUBNET,
    securityGroupIDs: [GROUP],
    tags: { team: 'red' },
  },
  status: { phase: 'Ready', eniID: 'eni-1', attachmentID: 'eni-attach-1' },
});
const ENI: Eni = {
  id: 'eni-1',
  sequence: 1,
  createdAt: 0,
  subnetId: SUBNET,
  vpcId: DEFAULT_IDS.vpc,
  zone: 'us-west-2a',
  description: '',
  interfaceType: 'interface',
  macAddress: '02:00:00:00:00:01',
  privateIpAddresses: ['10.0.64.4'],
  ipv4Prefixes: [],
  ipv6Addresses: [],
  groupIds: [GROUP],
  sourceDestCheck: true,
  connectionTracking: {},
  ipv6Prefixes: [],
  associations: [],
  primaryIpv6: false,
  requesterManaged: false,
  tags: {
    team: 'red',
    [TAGS.name]: RECORD.metadata.name,
    [TAGS.attachmentUID]: RECORD.metadata.uid,
    [TAGS.nodeENI]: 'storm-1',
    [TAGS.node]: NODE.name,
    [TAGS.noManage]: 'true',
  },
  attachment: {
    id: 'eni-attach-1',
    instanceId: NODE.instanceID,
    deviceIndex: 1,
    networkCardIndex: 0,
    status: 'attached',
    deleteOnTermination: true,
    attachTime: 0,
  },
};
const NODE_ENI: NodeENI = {
  ...aNodeENI({}, { name: 'storm-1' }),
  status: {
    observedGeneration: 1,
    nodes: 1,
    desired: 1,
    attached: 1,
    ready: 1,
    attachments: [
      {
        nodeID: NODE.name,
        instanceID: NODE.instanceID,
        subnetID: SUBNET,
        deviceIndex: 1,
        status: 'attached',
      },
    ],
    conditions: (['Ready', 'Progressing', 'Degraded'] as const).map((type) => ({
      type,
      status: type === 'Ready' ? ('True' as const) : ('False' as const),
      reason: type,
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    })),
  },
};
const VIEW: View = { enis: [ENI], attachments: [RECORD], nodeENIs: [NODE_ENI] };
const NOTHING: Intent = { wanted: [], undecided: new Set(), nodes: new Map() };

describe('what a storm is judged by', () => {
  it('finds nothing wrong where all is as asked for', () => {
    expect(deviations(VIEW, intentOf(aModel()))).to.deep.equal([]);
  });

  const { attachment } = ENI;
  const wrong: [string, Partial<View>][] = [
    ['an ENI that is missing', { enis: [] }],
    ['an ENI without an ENIAttachment', { enis: [ENI, { ...ENI, id: 'eni-2', tags: {} }] }],
    ['an ENIAttachment that is missing', { attachments: [] }],
    ['other groups', { enis: [{ ...ENI, groupIds: [DEFAULT_IDS.groups.nodes] }] }],
    ['an address outside the pool', { enis: [{ ...ENI, privateIpAddresses: ['10.0.65.4'] }] }],
    ['a tag too many', { enis: [{ ...ENI, tags: { ...ENI.tags, tier: '1' } }] }],
    [
      'another slot',
      { enis: [{ ...ENI, ...(attachment && { attachment: { ...attachment, deviceIndex: 2 } }) }] },
    ],
    [
      'deleteOnTermination',
      {
        enis: [
          {
            ...ENI,
            ...(attachment && { attachment: { ...attachment, deleteOnTermination: false } }),
          },
        ],
      },
    ],
    [
      'a status that counts wrong',
      { nodeENIs: [{ ...NODE_ENI, status: { ...NODE_ENI.status, ready: 0 } }] },
    ],
    ['a NodeENI that is missing', { nodeENIs: [] }],
  ];
  for (const [what, change] of wrong) {
    it(`finds ${what}`, () => {
      expect(deviations({ ...VIEW, ...change }, intentOf(aModel()))).not.to.deep.equal([]);
    });
  }

  it('finds each thing that is left where there should be nothing', () => {
    expect(deviations({ ...VIEW, attachments: [], nodeENIs: [] }, NOTHING)).to.have.length(1);
    expect(deviations({ ...VIEW, enis: [], nodeENIs: [] }, NOTHING)).not.to.deep.equal([]);
    expect(
      deviations({ enis: [], attachments: [], nodeENIs: [NODE_ENI] }, NOTHING),
    ).not.to.deep.equal([]);
  });

  it('decides nothing between two NodeENIs that want one slot, but wants their ENIs as their attachments say', () => {
    const model = aModel();
    const first = model.nodeENIs.get('storm-1');
    model.nodeENIs.set('storm-2', {
      name: 'storm-2',
      spec: { ...first?.spec, subnetName: 'net2' } as NodeENI['spec'],
    });
    const intent = intentOf(model);
    expect([...intent.undecided]).to.deep.equal([NODE.name]);
    const of = (enis: Eni[]) =>
      deviations({ ...VIEW, enis }, { ...intent, nodes: new Map([['storm-1', [NODE.name]]]) });
    expect(of([ENI])).to.deep.equal([]);
    expect(of([{ ...ENI, groupIds: [] }])).not.to.deep.equal([]);
  });

  it('asks nothing certain of a node whose instance is gone', () => {
    const model = aModel();
    model.nodes.set(NODE.name, { ...NODE, instance: 'gone' });
    expect([...intentOf(model).undecided]).to.deep.equal([NODE.name]);
  });
});
