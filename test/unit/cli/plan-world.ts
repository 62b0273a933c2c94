import fc from 'fast-check';
import { createStubInstance } from 'sinon';
import type { ENIAttachment } from '../../../src/api/eni-attachment.js';
import { LABELS } from '../../../src/api/names.js';
import type { Node } from '../../../src/api/node.js';
import type { NodeENI, NodeENISpec } from '../../../src/api/node-eni.js';
import { InstanceCatalog } from '../../../src/aws/catalog/instance-catalog.js';
import { InstanceTypeCatalog } from '../../../src/aws/catalog/instance-type-catalog.js';
import { NetworkCatalog } from '../../../src/aws/catalog/network-catalog.js';
import type { Instance, SecurityGroup, Subnet } from '../../../src/aws/ec2-gateway.js';
import { SdkEc2Gateway } from '../../../src/aws/sdk/sdk-ec2-gateway.js';
import { systemClock } from '../../../src/runtime/clock.js';
import { aNodeENI, anENIAttachment, aSubnet } from '../../support/objects.js';

const ZONES = ['us-west-2a', 'us-west-2b'];
const VPC = 'vpc-00000001';

export const SUBNETS: readonly Subnet[] = [
  aSubnet('subnet-000000a1', { name: 'data' }),
  aSubnet('subnet-000000b1', { name: 'data', zone: 'us-west-2b' }),
  aSubnet('subnet-000000a2', { name: 'backup', availableAddresses: 0 }),
  aSubnet('subnet-000000a3', { name: 'twice' }),
  aSubnet('subnet-000000a4', { name: 'twice' }),
];
const GROUPS: readonly SecurityGroup[] = [
  { id: 'sg-00000001', name: 'storage', vpcId: VPC },
  { id: 'sg-00000002', name: 'double', vpcId: VPC },
  { id: 'sg-00000003', name: 'double', vpcId: VPC },
];
const LIMITS = [
  { type: 'm5.large', maximumInterfaces: 3 },
  { type: 'm5.4xlarge', maximumInterfaces: 8 },
].map((limits) => ({
  ...limits,
  cards: [{ networkCardIndex: 0, maximumInterfaces: limits.maximumInterfaces }],
}));

/** A cluster and its EC2, as one moment of them. */
export interface World {
  nodes: Node[];
  instances: Instance[];
  /** What the NodeENI was before the change that is planned: its attachments were made from it. */
  before: NodeENISpec | undefined;
  nodeENI: NodeENI;
  /** What happened to each attachment since, by its place; more attachments than entries: the last one. */
  fates: Fate[];
}

type Fate = 'pending' | 'attached' | 'ready' | 'deleting' | 'gone' | 'elsewhere';

const spec: fc.Arbitrary<NodeENISpec> = fc
  .record({
    subnets: fc.constantFrom<Partial<NodeENISpec>>(
      { subnetName: 'data' },
      { subnetNames: ['data', 'backup'] },
      { subnetNames: ['backup', 'data'] },
      { subnetIDs: ['subnet-000000b1', 'subnet-000000a1', 'subnet-000000a3'] },
      { subnetID: 'subnet-000000a1' },
      { subnetName: 'twice' },
      { subnetName: 'nothere' },
    ),
    groups: fc.constantFrom<Partial<NodeENISpec>>(
      { securityGroupIDs: ['sg-00000001'] },
      { securityGroupIDs: ['sg-00000002', 'sg-00000001'] },
      { securityGroupNames: ['storage'] },
      { securityGroupNames: ['double'] },
    ),
    index: fc.constantFrom<Partial<NodeENISpec>>(
      {},
      { deviceIndex: 1 },
      { deviceIndex: 2 },
      { deviceIndexPolicy: 'Auto' },
    ),
    more: fc.constantFrom<Partial<NodeENISpec>>(
      {},
      { mtu: 9001 },
      { interfaceName: 'eni-data', tags: { team: 'a' } },
      { updatePolicy: { maxUnavailable: 2 } },
      { updatePolicy: { maxUnavailable: '50%' }, deleteOnTermination: false },
    ),
    pool: fc.constantFrom<Partial<NodeENISpec>>(
      {},
      {},
      { ipv4: { primary: { fromPool: ['10.0.1.8/30'] } } },
      { ipv4: { primary: { fromPool: ['10.0.1.10', '10.0.1.64/26'] }, prefixes: 1 } },
      { ipv4: { primary: { fromPool: ['10.0.9.0/24'] } } },
    ),
    selector: fc.constantFrom('storage', 'storage', 'storage', 'other'),
  })
  .map(({ subnets, groups, index, more, pool, selector }) => {
    const { subnetID: _, securityGroupIDs: __, ...base } = aNodeENI().spec;
    const chosen = { ...subnets, ...groups, ...index, ...more, ...pool };
    return { ...base, ...chosen, nodeSelector: { role: selector } };
  });

const machine = fc.record({
  zone: fc.constantFrom(...ZONES),
  type: fc.constantFrom('m5.large', 'm5.4xlarge', 'unknown.large'),
  state: fc.constantFrom('running', 'running', 'running', 'stopped', 'terminated'),
  managed: fc.constantFrom(false, false, false, true),
  foreign: fc.uniqueArray(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
  isKnown: fc.constantFrom(true, true, true, false),
  role: fc.constantFrom('storage', 'storage', 'storage', 'other'),
  providerID: fc.constantFrom('full', 'full', 'full', 'bare', 'missing', 'shared'),
});

/** Worlds in which a NodeENI is created or changed. */
export const worlds: fc.Arbitrary<World> = fc
  .record({
    machines: fc.array(machine, { minLength: 1, maxLength: 5 }),
    before: fc.option(spec, { nil: undefined }),
    after: spec,
    fates: fc.array(
      fc.constantFrom<Fate>(
        'pending',
        'attached',
        'ready',
        'ready',
        'deleting',
        'gone',
        'elsewhere',
      ),
      { minLength: 1, maxLength: 6 },
    ),
  })
  .map(({ machines, before, after, fates }) => ({
    nodes: machines.map(nodeOf),
    instances: machines.flatMap((each, index) => (each.isKnown ? [instanceOf(each, index)] : [])),
    before,
    nodeENI: { ...aNodeENI(), spec: after },
    fates,
  }));

type Machine = typeof machine extends fc.Arbitrary<infer T> ? T : never;

const instanceID = (index: number): string => `i-0000000000000000${index}`;

function nodeOf({ zone, role, providerID }: Machine, index: number): Node {
  const name = `node-${index}`;
  const id = instanceID(providerID === 'shared' ? 0 : index);
  return {
    metadata: {
      name,
      uid: name,
      resourceVersion: '1',
      labels: { role, ...(providerID === 'bare' ? {} : { [LABELS.zone]: zone }) },
    },
    spec:
      providerID === 'missing'
        ? {}
        : { providerID: providerID === 'bare' ? id : `aws:///${zone}/${id}` },
  };
}

function instanceOf({ zone, type, state, managed, foreign }: Machine, index: number): Instance {
  const at = (deviceIndex: number) => ({
    eniId: `eni-0000000${index}${deviceIndex}`,
    deviceIndex,
    networkCardIndex: 0,
  });
  return {
    id: instanceID(index),
    type,
    state,
    zone,
    vpcId: VPC,
    ...(managed ? { managed } : {}),
    interfaces: [at(0), ...foreign.map(at)],
  };
}

/** An attachment, as its fate has left it; none where it is gone. */
export function surviving(
  { name, spec: made }: { name: string; spec: ENIAttachment['spec'] },
  fate: Fate,
  index: number,
): ENIAttachment | undefined {
  if (fate === 'gone') return undefined;
  const { uid } = aNodeENI().metadata;
  const isAttached = fate === 'attached' || fate === 'ready' || fate === 'deleting';
  return anENIAttachment({
    name,
    spec: fate === 'elsewhere' ? { ...made, instanceID: 'i-0eeeeeeeeeeeeeeee' } : made,
    metadata: {
      ownerReferences: [{ apiVersion: 'x', kind: 'NodeENI', name: 'storage', uid }],
      ...(fate === 'deleting' ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    status: isAttached
      ? {
          phase: fate === 'attached' ? 'Attached' : 'Ready',
          eniID: `eni-1000000${index}`,
          attachmentID: `eni-attach-${index}`,
          observedGeneration: 1,
        }
      : { phase: 'Pending' },
  });
}

/** Fresh catalogs of the world's EC2, with the ENIs that the attachments have. */
export function catalogsOf({ instances }: World, attachments: readonly ENIAttachment[]) {
  const gateway = createStubInstance(SdkEc2Gateway);
  const all = instances.map((instance) => ({
    ...instance,
    interfaces: [
      ...instance.interfaces,
      ...attachments
        .filter(({ spec: at, status }) => at.instanceID === instance.id && status?.attachmentID)
        .map(({ spec: at, status }) => ({
          eniId: status?.eniID ?? '',
          deviceIndex: at.deviceIndex,
          networkCardIndex: at.networkCardIndex,
        })),
    ],
  }));
  gateway.describeInstances.callsFake(async (ids) => all.filter(({ id }) => ids.includes(id)));
  gateway.describeInstanceTypes.callsFake(async (types) =>
    LIMITS.filter(({ type }) => types.includes(type)),
  );
  gateway.describeSubnets.callsFake(async (query) =>
    SUBNETS.filter(({ id, name = '' }) =>
      'ids' in query ? query.ids.includes(id) : query.names.includes(name),
    ),
  );
  gateway.describeSecurityGroups.callsFake(async (query) =>
    GROUPS.filter(({ id, name }) =>
      'ids' in query ? query.ids.includes(id) : query.names.includes(name),
    ),
  );
  gateway.describeAssociatedGroups.resolves([]);
  const common = { gateway, clock: systemClock };
  return {
    instances: InstanceCatalog.create({ ...common, gatherMs: 0, minIntervalMs: 0 }),
    instanceTypes: InstanceTypeCatalog.create(common),
    network: NetworkCatalog.create(common),
  };
}
