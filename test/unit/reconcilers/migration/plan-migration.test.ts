import { expect } from 'chai';
import fc from 'fast-check';
import type { ENIAttachment } from '../../../../src/api/eni-attachment.js';
import {
  ADOPTED_ENI_ANNOTATION,
  GO_CONTROLLER,
  GO_TAGS,
  LEAVE_ENIS_ANNOTATION,
} from '../../../../src/api/go-controller.js';
import { TAGS } from '../../../../src/api/names.js';
import type { NodeENI, NodeENIAttachment } from '../../../../src/api/node-eni.js';
import type { Eni } from '../../../../src/aws/ec2-gateway.js';
import { holdCreates } from '../../../../src/reconcilers/migration/hold-creates.js';
import { unheldEnis } from '../../../../src/reconcilers/migration/listed-enis.js';
import {
  type MigrationInput,
  type MigrationPlan,
  NO_MIGRATION,
  planMigration,
} from '../../../../src/reconcilers/migration/plan-migration.js';
import { newAttachment } from '../../../../src/reconcilers/node-eni/attachment-writer.js';
import {
  chooseSubnets,
  subnetEntries,
} from '../../../../src/reconcilers/node-eni/network-resolver.js';
import { nodeENIStatus } from '../../../../src/reconcilers/node-eni/node-eni-status.js';
import { planNodeENI } from '../../../../src/reconcilers/node-eni/plan-node-eni.js';
import { aNode, aNodeENI, anAttachment, anEni, aSubnet, NOW } from '../../../support/objects.js';

const CLUSTER = 'this-cluster';
const WINDOW_MS = 30_000;
const SUBNETS = ['subnet-000000a1', 'subnet-000000a2', 'subnet-000000a3'];

/** What is wrong with an entry or its ENI, and what becomes of it; `SecondInSubnet` comes by itself. */
const FATES = {
  fine: 'adopt',
  driftedIndex: 'adopt',
  nodeGone: 'adopt',
  alsoOurs: 'adopt',
  gone: 'gone',
  goneJustNow: 'WaitingForAdoption',
  left: 'left',
  otherNodeENI: 'TagsDiffer',
  otherNode: 'TagsDiffer',
  noManager: 'TagsDiffer',
  otherCluster: 'OtherCluster',
  ofService: 'ManagedByService',
  otherSubnet: 'SubnetNotAsked',
  detached: 'NotAttached',
  detaching: 'NotAttached',
  otherInstance: 'AttachedElsewhere',
  otherAttachment: 'OwnedByAttachment',
} as const;
type Fate = keyof typeof FATES;

interface Listed {
  node: number;
  subnet: number;
  fate: Fate;
}

const fates = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<Fate>('fine', 'driftedIndex') },
  { weight: 2, arbitrary: fc.constantFrom(...(Object.keys(FATES) as Fate[])) },
);
const states = fc.record({
  listed: fc.array(
    fc.record({ node: fc.nat({ max: 3 }), subnet: fc.nat({ max: 2 }), fate: fates }),
    { maxLength: 12 },
  ),
  /** A union, or one list. */
  isUnion: fc.boolean(),
  deviceIndex: fc.constantFrom(undefined, 1, 4),
  isReported: fc.boolean(),
});

const nodeName = (node: number) => `node-${node}`;
const instanceOf = (node: number) => `i-0000000000000000${node}`;

interface World {
  nodeENI: NodeENI;
  enis: Map<string, Eni>;
  nodes: ReturnType<typeof aNode>[];
  fateOf: Map<string, Fate>;
}

function worldOf({
  listed,
  isUnion,
  deviceIndex,
  isReported,
}: typeof states extends fc.Arbitrary<infer T> ? T : never): World {
  const enis = new Map<string, Eni>();
  const fateOf = new Map<string, Fate>();
  const goneNodes = new Set(
    listed.flatMap(({ node, fate }) => (fate === 'nodeGone' ? [node] : [])),
  );
  const entries = listed.map((each, index): NodeENIAttachment => {
    const id = `eni-${String(index).padStart(17, '0')}`;
    fateOf.set(id, each.fate);
    const eni = eniOf(each, id, index);
    if (eni) enis.set(id, eni);
    return {
      nodeID: nodeName(each.node),
      instanceID: instanceOf(each.node),
      eniID: id,
      subnetID: SUBNETS[each.subnet] ?? '',
      deviceIndex: 1,
      status: 'attached',
      lastUpdated: new Date(
        each.fate === 'goneJustNow' ? NOW - 1_000 : NOW - 86_400_000,
      ).toISOString(),
    };
  });
  const left = [...fateOf].flatMap(([id, fate]) => (fate === 'left' ? [id] : []));
  const [first, ...others] = SUBNETS;
  const nodeENI = aNodeENI(
    {
      subnetID: (isUnion ? first : undefined) as never,
      subnetIDs: isUnion ? others : SUBNETS,
      ...(deviceIndex === undefined ? {} : { deviceIndex }),
    },
    {
      finalizers: [GO_CONTROLLER.finalizer],
      annotations: { [LEAVE_ENIS_ANNOTATION]: left.join(', ') },
    },
  );
  const status = { attachments: entries, ...(isReported ? { observedGeneration: 1 } : {}) };
  const nodes = [0, 1, 2, 3]
    .filter((node) => !goneNodes.has(node))
    .map((node) => aNode(nodeName(node), { instance: instanceOf(node) }));
  return { nodeENI: { ...nodeENI, status }, enis, nodes, fateOf };
}

function eniOf({ node, subnet, fate }: Listed, id: string, index: number): Eni | undefined {
  if (fate === 'gone' || fate === 'goneJustNow') return undefined;
  const slot = anAttachment({
    instanceId: fate === 'otherInstance' ? 'i-00000000000000009' : instanceOf(node),
    deviceIndex: fate === 'driftedIndex' ? 10 + index : 1 + subnet,
    status: fate === 'detaching' ? 'detaching' : 'attached',
  });
  return anEni({
    id,
    status: fate === 'detached' ? 'available' : 'in-use',
    subnetId: fate === 'otherSubnet' ? 'subnet-000000ff' : (SUBNETS[subnet] ?? ''),
    requesterManaged: fate === 'ofService',
    securityGroupIds: ['sg-00000001'],
    tags: {
      [GO_TAGS.managedBy]: fate === 'noManager' ? 'somebody' : GO_CONTROLLER.managerName,
      [GO_TAGS.nodeENI]: fate === 'otherNodeENI' ? 'other' : 'storage',
      [GO_TAGS.node]: fate === 'otherNode' ? 'other' : nodeName(node),
      ...(fate === 'otherCluster' ? { [TAGS.clusterID]: 'another' } : {}),
      ...(fate === 'otherAttachment' ? { [TAGS.attachmentUID]: 'alive' } : {}),
      ...(fate === 'alsoOurs' ? { [TAGS.clusterID]: CLUSTER, [TAGS.attachmentUID]: 'dead' } : {}),
    },
    ...(fate === 'detached' ? {} : { attachment: slot }),
  });
}

function planFor(
  { nodeENI, enis, nodes }: World,
  more: Partial<MigrationInput> = {},
): MigrationPlan {
  return planMigration({
    nodeENI,
    listed: unheldEnis(nodeENI, []),
    enis,
    attachments: [],
    nodeNamed: (name) => nodes.find(({ metadata }) => metadata.name === name),
    isAlive: (uid) => uid === 'alive',
    subnetIDs: new Set(SUBNETS),
    clusterID: CLUSTER,
    consistencyWindowMs: WINDOW_MS,
    now: NOW,
    ...more,
  });
}

function recorded({ nodeENI }: World, { adopt }: MigrationPlan): ENIAttachment[] {
  return adopt.map(({ eniID, name, spec }) => {
    const { metadata } = newAttachment(nodeENI, { name, spec });
    const annotations = { [ADOPTED_ENI_ANNOTATION]: eniID };
    return {
      metadata: { ...metadata, annotations, uid: `uid-of-${name}`, resourceVersion: '1' },
      spec,
    };
  });
}

function nextPlan({ nodeENI, nodes }: World, attachments: readonly ENIAttachment[]) {
  const subnets = chooseSubnets(
    subnetEntries(nodeENI.spec),
    SUBNETS.map((id) => aSubnet(id)),
  );
  const group = { id: 'sg-00000001', name: 'storage', vpcId: 'vpc-00000001' };
  return planNodeENI({
    nodeENI,
    nodes,
    attachments,
    network:
      'reason' in subnets
        ? subnets
        : { subnets, securityGroups: [group], associatedGroups: new Map() },
    defaults: { deviceIndex: 1, deleteOnTermination: true },
  });
}

describe('planMigration, on generated states', () => {
  it('takes what agrees in everything, and says of each other ENI what is wrong', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(states, (state) => {
        const world = worldOf(state);
        const plan = planFor(world);
        const outcome = new Map<string, string>([
          ...plan.adopt.map(({ eniID }) => [eniID, 'adopt'] as const),
          ...plan.gone.map(({ eniID }) => [eniID, 'gone'] as const),
          ...plan.left.map(({ eniID }) => [eniID, 'left'] as const),
          ...plan.unadopted.map(({ entry, reason }) => [entry.eniID, reason] as const),
        ]);
        expect([...outcome.keys()].sort()).to.deep.equal([...world.fateOf.keys()].sort());
        for (const [id, fate] of world.fateOf) {
          const wanted = FATES[fate];
          const found = outcome.get(id);
          seen.add(found ?? '');
          if (wanted === 'adopt') expect(found).to.be.oneOf(['adopt', 'SecondInSubnet']);
          else expect(found, fate).to.equal(wanted);
        }
        const places = plan.adopt.map(({ spec }) => `${spec.instanceID}/${spec.subnetID}`);
        expect(new Set(places).size).to.equal(places.length);
        for (const { eniID, spec } of plan.adopt) {
          const eni = world.enis.get(eniID);
          expect(spec).to.include({
            deviceIndex: eni?.attachment?.deviceIndex,
            instanceID: eni?.attachment?.instanceId,
            subnetID: eni?.subnetId,
          });
        }
      }),
      { numRuns: 500 },
    );
    expect([...seen]).to.include.members([...new Set(Object.values(FATES)), 'SecondInSubnet']);
  });

  it('loses no ENI from the status, and gives no node a second one', () => {
    fc.assert(
      fc.property(states, (state) => {
        const world = worldOf(state);
        const { unadopted, ...rest } = planFor(world);
        const attachments = recorded(world, { unadopted, ...rest });
        const plan = nextPlan(world, attachments);
        holdCreates(plan, unadopted);
        // Nothing that is adopted moves.
        expect(plan.replace).to.deep.equal([]);
        expect(plan.delete).to.deep.equal([]);
        const unselected = plan.unselected.map(({ spec }) => spec.nodeName);
        const present = world.nodes.map(({ metadata }) => metadata.name);
        expect(unselected.filter((name) => present.includes(name))).to.deep.equal([]);
        for (const { attachment, spec } of plan.update) {
          expect(spec.deviceIndex).to.equal(attachment.spec.deviceIndex);
        }
        const taken = new Set(unadopted.map(({ entry }) => `${entry.nodeID}/${entry.subnetID}`));
        for (const { spec } of plan.create) {
          expect(taken.has(`${spec.nodeName}/${spec.subnetID}`)).to.equal(false);
        }
        const letGo = [...rest.gone, ...rest.left].map(({ eniID }) => eniID);
        const status = nodeENIStatus({
          nodeENI: world.nodeENI,
          nodes: world.nodes.length,
          desired: plan.desired,
          attachments,
          blockedNodes: plan.blocked,
          deviceIndex: 1,
          migration: { unadopted, letGo: new Set(letGo), fault: undefined },
          now: NOW,
        });
        const kept = [
          ...(status.attachments ?? []).map(({ eniID }) => eniID),
          ...attachments.map(({ metadata }) => metadata.annotations?.[ADOPTED_ENI_ANNOTATION]),
        ];
        expect(
          [...world.fateOf.keys()].filter((id) => !letGo.includes(id) && !kept.includes(id)),
        ).to.deep.equal([]);
        // The next pass finds the same, from what this one wrote.
        const again = { ...world.nodeENI, status };
        expect(
          unheldEnis(again, attachments)
            .map(({ eniID }) => eniID)
            .sort(),
        ).to.deep.equal(unadopted.map(({ entry }) => entry.eniID).sort());
      }),
      { numRuns: 500 },
    );
  });

  it('takes an ENI whose subnet is named in a way that EC2 does not resolve', () => {
    const world = worldOf({
      listed: [{ node: 0, subnet: 0, fate: 'otherSubnet' }],
      isUnion: false,
      deviceIndex: 1,
      isReported: false,
    });
    expect(planFor(world, { subnetIDs: undefined }).adopt).to.have.length(1);
  });

  it('keeps an entry that the Go controller wrote while the pass was under way', () => {
    const world = worldOf({
      listed: [{ node: 0, subnet: 0, fate: 'fine' }],
      isUnion: false,
      deviceIndex: 1,
      isReported: false,
    });
    const report = { nodes: 1, desired: 1, blockedNodes: [], deviceIndex: 1, now: NOW };
    const status = nodeENIStatus({ ...report, nodeENI: world.nodeENI, attachments: [] });
    expect(status.attachments?.[0]).to.include({
      eniID: 'eni-00000000000000000',
      adoption: 'WaitingForAdoption',
    });
  });

  it('keeps 600 entries of the Go controller in the status', () => {
    const listed = Array.from({ length: 600 }, (_, node) => ({
      node,
      subnet: 0,
      fate: 'otherCluster' as const,
    }));
    const world = worldOf({ listed, isUnion: false, deviceIndex: 1, isReported: false });
    const { unadopted } = planFor(world);
    const status = nodeENIStatus({
      nodeENI: world.nodeENI,
      nodes: 0,
      desired: 0,
      attachments: [],
      blockedNodes: [],
      deviceIndex: 1,
      migration: { ...NO_MIGRATION, unadopted },
      now: NOW,
    });
    expect(status.attachments).to.have.length(600);
  });
});
