import type { ENIAttachment, ENIAttachmentSpec } from '../../src/api/eni-attachment.js';
import { LABELS } from '../../src/api/names.js';
import type { Node } from '../../src/api/node.js';
import type { NodeENI, NodeENISpec } from '../../src/api/node-eni.js';
import type { Eni, EniAttachmentState, Instance, Subnet } from '../../src/aws/ec2-gateway.js';

/** The moment at which the objects of unit tests live, in milliseconds since the epoch. */
export const NOW = Date.parse('2026-01-01T00:00:00Z');

export const INSTANCE_A = 'i-0aaaaaaaaaaaaaaaa';
export const INSTANCE_B = 'i-0bbbbbbbbbbbbbbbb';

export function aNodeENI(spec: Partial<NodeENISpec> = {}, metadata: object = {}): NodeENI {
  return {
    metadata: {
      name: 'storage',
      uid: '11111111-1111-1111-1111-111111111111',
      resourceVersion: '1',
      generation: 1,
      ...metadata,
    },
    spec: {
      nodeSelector: { role: 'storage' },
      subnetID: 'subnet-0000000a',
      securityGroupIDs: ['sg-00000001'],
      ...spec,
    },
  };
}

export function aNode(
  name: string,
  { instance = INSTANCE_A, zone = 'us-west-2a', labels = { role: 'storage' } as object } = {},
): Node {
  return {
    metadata: {
      name,
      uid: `uid-of-${name}`,
      resourceVersion: '1',
      labels: { [LABELS.zone]: zone, ...labels },
    },
    spec: { providerID: `aws:///${zone}/${instance}` },
  };
}

export function aSubnet(id: string, overrides: Partial<Subnet> = {}): Subnet {
  return {
    id,
    vpcId: 'vpc-00000001',
    zone: 'us-west-2a',
    cidr: '10.0.1.0/24',
    availableAddresses: 200,
    ...overrides,
  };
}

export function anENIAttachment(
  overrides: {
    name?: string;
    spec?: Partial<ENIAttachmentSpec>;
    status?: ENIAttachment['status'];
    metadata?: object;
  } = {},
): ENIAttachment {
  const name = overrides.name ?? 'storage-aaaaaaaaaa';
  return {
    metadata: {
      name,
      uid: `uid-of-${name}`,
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...overrides.metadata,
    },
    spec: {
      nodeENI: 'storage',
      nodeName: 'node-a',
      instanceID: INSTANCE_A,
      subnetID: 'subnet-0000000a',
      securityGroupIDs: ['sg-00000001'],
      deviceIndex: 1,
      networkCardIndex: 0,
      deleteOnTermination: true,
      ...overrides.spec,
    },
    ...(overrides.status ? { status: overrides.status } : {}),
  };
}

export function anEni(overrides: Partial<Eni> = {}): Eni {
  return {
    id: 'eni-00000000000000001',
    status: 'available',
    subnetId: 'subnet-0000000a',
    vpcId: 'vpc-00000001',
    zone: 'us-west-2a',
    description: '',
    macAddress: '02:00:00:00:00:01',
    privateIpAddress: '10.0.1.10',
    privateIpAddresses: ['10.0.1.10'],
    ipv6Addresses: [],
    ipv4Prefixes: [],
    ipv6Prefixes: [],
    sourceDestCheck: true,
    securityGroupIds: ['sg-00000001'],
    tags: {},
    requesterManaged: false,
    ...overrides,
  };
}

export function anAttachment(overrides: Partial<EniAttachmentState> = {}): EniAttachmentState {
  return {
    attachmentId: 'eni-attach-00000000000000001',
    instanceId: INSTANCE_A,
    deviceIndex: 1,
    networkCardIndex: 0,
    status: 'attached',
    deleteOnTermination: true,
    ...overrides,
  };
}

export function anInstance(overrides: Partial<Instance> = {}): Instance {
  return {
    id: INSTANCE_A,
    type: 't3.medium',
    state: 'running',
    zone: 'us-west-2a',
    vpcId: 'vpc-00000001',
    interfaces: [{ eniId: 'eni-0000000000000000a', deviceIndex: 0, networkCardIndex: 0 }],
    ...overrides,
  };
}
