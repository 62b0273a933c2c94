import { expect } from 'chai';
import fc from 'fast-check';
import type { ENIAttachment, ENIAttachmentSpec } from '../../../../src/api/eni-attachment.js';
import type { NodeENISpec } from '../../../../src/api/node-eni.js';
import { blocked } from '../../../../src/api/reasons.js';
import type { SecurityGroup, Subnet } from '../../../../src/aws/ec2-gateway.js';
import {
  chooseSubnets,
  type Network,
  subnetEntries,
} from '../../../../src/reconcilers/node-eni/network-resolver.js';
import {
  type NodeENIPlanInput,
  planNodeENI,
} from '../../../../src/reconcilers/node-eni/plan-node-eni.js';
import {
  aNode,
  aNodeENI,
  anENIAttachment,
  aSubnet,
  INSTANCE_A,
  INSTANCE_B,
} from '../../../support/objects.js';

const group: SecurityGroup = { id: 'sg-00000001', name: 'storage', vpcId: 'vpc-00000001' };
const defaults = { deviceIndex: 1, deleteOnTermination: true };

function inputFor(
  spec: Partial<NodeENISpec>,
  found: Subnet[],
  overrides: Partial<NodeENIPlanInput> = {},
): NodeENIPlanInput {
  const nodeENI = aNodeENI({ subnetID: undefined as never, ...spec });
  const subnets = chooseSubnets(subnetEntries(nodeENI.spec), found);
  const network =
    'reason' in subnets
      ? subnets
      : { subnets, securityGroups: [group], associatedGroups: new Map() };
  return { nodeENI, nodes: [aNode('node-a')], attachments: [], network, defaults, ...overrides };
}

const a1 = aSubnet('subnet-000000a1', { name: 'data' });
const a2 = aSubnet('subnet-000000a2', { name: 'backup' });
const b1 = aSubnet('subnet-000000b1', { name: 'data', zone: 'us-west-2b' });

function attached(attachment: ENIAttachment): ENIAttachment {
  return { ...attachment, status: { phase: 'Attached', attachmentID: 'eni-attach-00000001' } };
}

describe('planNodeENI', () => {
  it('gives a node one ENI in each subnet of its zone, at rising device indexes', () => {
    const plan = planNodeENI(
      inputFor(
        { subnetIDs: ['subnet-000000b1', 'subnet-000000a1', 'subnet-000000a2'], deviceIndex: 2 },
        [a1, a2, b1],
      ),
    );
    expect(plan.create.map(({ spec }) => [spec.subnetID, spec.deviceIndex])).to.deep.equal([
      ['subnet-000000a1', 2],
      ['subnet-000000a2', 3],
    ]);
    expect(plan).to.deep.include({ desired: 2, delete: [], blocked: [] });
  });

  it('blocks all nodes that claim the same instance, and keeps the ENIs that they have', () => {
    const nodes = [aNode('node-a'), aNode('node-b')];
    const input = inputFor({ subnetName: 'data' }, [a1], { nodes: nodes.slice(0, 1) });
    const [created] = planNodeENI({ ...input, nodesOn: () => nodes.slice(0, 1) }).create;
    expect(created?.spec.nodeName).to.equal('node-a');
    const attachments = [anENIAttachment({ name: created?.name ?? '', spec: created?.spec ?? {} })];
    const plan = planNodeENI({ ...input, nodes, attachments, nodesOn: () => nodes });
    expect(plan.blocked.map(({ node, blocked: { reason } }) => [node, reason])).to.deep.equal([
      ['node-a', 'ProviderIDAmbiguous'],
      ['node-b', 'ProviderIDAmbiguous'],
    ]);
    expect(plan.blocked[0]?.blocked.message).to.include(`node-a, node-b`).and.include(INSTANCE_A);
    expect(plan).to.deep.include({ create: [], delete: [], unselected: [] });
  });

  describe('the place of an ENI in the list of names', () => {
    const inside = aSubnet('subnet-000000a1', { name: 'fw-inside' });
    const outside = aSubnet('subnet-000000a2', { name: 'fw-outside' });
    const farOutside = aSubnet('subnet-000000b2', { name: 'fw-outside', zone: 'us-west-2b' });
    const nodeB = aNode('node-b', { instance: INSTANCE_B, zone: 'us-west-2b' });
    const pair = { subnetNames: ['fw-inside', 'fw-outside'], interfaceName: 'fw' };
    const placed = ({ spec }: { spec: ENIAttachmentSpec }) => [
      spec.subnetID,
      spec.deviceIndex,
      spec.interfaceName,
    ];
    const existing = (input: NodeENIPlanInput) =>
      planNodeENI(input).create.map(({ name, spec }) => attached(anENIAttachment({ name, spec })));
    /** As a release that did not write positions down left it. */
    const ofOldRelease = (attachments: ENIAttachment[]) =>
      attachments.map((attachment) => {
        const { position: _, baseDeviceIndex: __, ...spec } = attachment.spec;
        return { ...attachment, spec };
      });

    it('stays free where a name has no subnet in the node’s zone, and the node says so', () => {
      const input = inputFor(pair, [inside, outside, farOutside], { nodes: [nodeB] });
      const plan = planNodeENI(input);
      expect(plan.create.map(placed)).to.deep.equal([['subnet-000000b2', 2, 'fw-1']]);
      expect(plan.blocked.map(({ node, blocked }) => [node, blocked.reason])).to.deep.equal([
        ['node-b', 'SubnetNameNotInZone'],
      ]);
      expect(plan.blocked[0]?.blocked.message).to.include('us-west-2b').and.include('"fw-inside"');
      expect(plan.desired).to.equal(2);
      expect([...plan.planned]).to.deep.equal([]);
    });

    it('is kept when another name leaves the list', () => {
      const attachments = existing(inputFor(pair, [inside, outside]));
      const shorter = { ...pair, subnetNames: ['fw-outside'] };
      const plan = planNodeENI(inputFor(shorter, [inside, outside], { attachments }));
      expect(plan).to.deep.include({ create: [], replace: [], update: [] });
      expect(plan.delete.map(placed)).to.deep.equal([['subnet-000000a1', 1, 'fw']]);
    });

    it('is given up to the name that the list now has there', () => {
      const attachments = existing(inputFor(pair, [inside, outside])).slice(1);
      const other = { ...inside, name: 'fw-dmz' };
      const next = { ...pair, subnetNames: ['fw-outside', 'fw-dmz'] };
      const plan = planNodeENI(inputFor(next, [outside, other], { attachments }));
      expect(
        plan.replace.map(({ stale, missing }) => [stale.map(placed), missing.map(placed)]),
      ).to.deep.equal([
        [
          [['subnet-000000a2', 2, 'fw-1']],
          [
            ['subnet-000000a2', 1, 'fw'],
            ['subnet-000000a1', 2, 'fw-1'],
          ],
        ],
      ]);
    });

    it('follows a new deviceIndex of the NodeENI', () => {
      const attachments = existing(inputFor(pair, [inside, outside])).slice(1);
      const moved = { ...pair, subnetNames: ['fw-outside'], deviceIndex: 5 };
      const plan = planNodeENI(inputFor(moved, [inside, outside], { attachments }));
      expect(plan.replace.flatMap(({ missing }) => missing.map(placed))).to.deep.equal([
        ['subnet-000000a2', 5, 'fw'],
      ]);
    });

    it('is, for an attachment of an older release, the one that its device index means', () => {
      const created = existing(
        inputFor({ ...pair, subnetNames: ['fw-outside'] }, [farOutside], { nodes: [nodeB] }),
      );
      const input = inputFor(pair, [inside, outside, farOutside], {
        nodes: [nodeB],
        attachments: ofOldRelease(created),
      });
      const plan = planNodeENI(input);
      expect(plan).to.deep.include({ create: [], replace: [], delete: [] });
      expect(
        plan.update.map(({ spec }) => [spec.position, spec.baseDeviceIndex, spec.interfaceName]),
      ).to.deep.equal([[0, 1, 'fw']]);
    });

    it('follows the spec where that changed before the older release acted on it', () => {
      const attachments = ofOldRelease(existing(inputFor(pair, [inside, outside])));
      const input = inputFor({ ...pair, deviceIndex: 2 }, [inside, outside], { attachments });
      const nodeENI = {
        ...input.nodeENI,
        metadata: { ...input.nodeENI.metadata, generation: 3 },
        status: { observedGeneration: 2 },
      };
      const plan = planNodeENI({ ...input, nodeENI });
      expect(plan.replace.flatMap(({ missing }) => missing.map(placed))).to.deep.equal([
        ['subnet-000000a1', 2, 'fw'],
        ['subnet-000000a2', 3, 'fw-1'],
      ]);
      expect(plan.replace.flatMap(({ stale }) => stale.map(placed))).to.deep.equal([
        ['subnet-000000a1', 1, 'fw'],
        ['subnet-000000a2', 2, 'fw-1'],
      ]);
    });

    it('counts ids within the node’s zone, for an id belongs to one', () => {
      const ids = ['subnet-000000a1', 'subnet-000000b2', 'subnet-000000a2'];
      const plan = planNodeENI(inputFor({ subnetIDs: ids }, [inside, outside, farOutside]));
      expect(plan.create.map(({ spec }) => [spec.subnetID, spec.position])).to.deep.equal([
        ['subnet-000000a1', 0],
        ['subnet-000000a2', 1],
      ]);
      expect(plan.blocked).to.deep.equal([]);
    });

    it('numbers the interface names under Auto, too, and keeps those of an older release', () => {
      const auto = { ...pair, deviceIndexPolicy: 'Auto' as const };
      const occupied = () => new Set<number>();
      const attachments = ofOldRelease(existing(inputFor(auto, [inside, outside], { occupied })));
      const shorter = { ...auto, subnetNames: ['fw-outside'] };
      const plan = planNodeENI(inputFor(shorter, [inside, outside], { attachments, occupied }));
      expect(plan).to.deep.include({ create: [], replace: [] });
      expect(plan.update.map(({ spec }) => [...placed({ spec }), spec.position])).to.deep.equal([
        ['subnet-000000a2', 2, 'fw-1', 1],
      ]);
    });
  });

  it('takes the subnet of the node’s zone where several share a name', () => {
    const nodes = [aNode('node-a'), aNode('node-b', { instance: INSTANCE_B, zone: 'us-west-2b' })];
    const plan = planNodeENI(inputFor({ subnetName: 'data' }, [a1, b1], { nodes }));
    expect(plan.create.map(({ spec }) => [spec.nodeName, spec.subnetID])).to.deep.equal([
      ['node-a', 'subnet-000000a1'],
      ['node-b', 'subnet-000000b1'],
    ]);
  });

  for (const [reason, input] of Object.entries({
    SubnetNotFound: inputFor({ subnetID: 'subnet-0000dead' }, []),
    SubnetNameAmbiguous: inputFor({ subnetName: 'data' }, [a1, { ...a2, name: 'data' }]),
    NoSubnetInZone: inputFor({ subnetID: 'subnet-000000b1' }, [b1]),
    SecurityGroupNotFound: inputFor(
      { subnetID: 'subnet-000000a1', securityGroupIDs: ['sg-0000dead'] },
      [a1],
    ),
    ProviderIDMissing: inputFor({ subnetID: 'subnet-000000a1' }, [a1], {
      nodes: [{ ...aNode('node-a'), spec: {} }],
    }),
  })) {
    it(`reports ${reason} for the node, with a remedy`, () => {
      const plan = planNodeENI(input);
      expect(plan.create).to.deep.equal([]);
      expect(
        plan.blocked.map(({ node, blocked: { reason: actual } }) => [node, actual]),
      ).to.deep.equal([['node-a', reason]]);
      expect(plan.desired).to.equal(1);
    });
  }

  it('leaves it to EC2 whether a group named by its id serves in the subnet’s VPC', () => {
    const plan = planNodeENI(
      inputFor({ subnetID: 'subnet-000000a1' }, [{ ...a1, vpcId: 'vpc-00000002' }]),
    );
    expect(plan.create.map(({ spec }) => spec.securityGroupIDs)).to.deep.equal([[group.id]]);
    expect(plan.blocked).to.deep.equal([]);
  });

  it('serves the other nodes while one is blocked', () => {
    const nodes = [{ ...aNode('node-x'), spec: {} }, aNode('node-a')];
    const plan = planNodeENI(inputFor({ subnetID: 'subnet-000000a1' }, [a1], { nodes }));
    expect(plan.create.map(({ spec }) => spec.nodeName)).to.deep.equal(['node-a']);
    expect(plan.blocked.map(({ node }) => node)).to.deep.equal(['node-x']);
  });

  it('is settled once the attachments are there', () => {
    const input = inputFor({ subnetID: 'subnet-000000a1' }, [a1]);
    const [desired] = planNodeENI(input).create;
    const attachments = [anENIAttachment({ name: desired?.name ?? '', spec: desired?.spec ?? {} })];
    expect(planNodeENI({ ...input, attachments })).to.deep.include({
      create: [],
      update: [],
      delete: [],
    });
  });

  it('ends the attachment of a node that no longer matches', () => {
    const input = inputFor({ subnetID: 'subnet-000000a1' }, [a1]);
    const [desired] = planNodeENI(input).create;
    const attachments = [anENIAttachment({ name: desired?.name ?? '', spec: desired?.spec ?? {} })];
    const plan = planNodeENI({ ...input, attachments, nodes: [] });
    expect(plan.unselected).to.deep.equal(attachments);
    expect(plan.desired).to.equal(0);
  });

  it('replaces the attachment of a node that now runs on another instance', () => {
    const input = inputFor({ subnetID: 'subnet-000000a1' }, [a1]);
    const [old] = planNodeENI(input).create;
    const attachments = [anENIAttachment({ name: old?.name ?? '', spec: old?.spec ?? {} })];
    const nodes = [aNode('node-a', { instance: INSTANCE_B })];
    const plan = planNodeENI({ ...input, attachments, nodes });
    expect(plan.unselected).to.deep.equal(attachments);
    expect(plan.create.map(({ spec }) => spec.instanceID)).to.deep.equal([INSTANCE_B]);
  });

  it('changes settings in place, and a slot by replacing the attachment', () => {
    const input = inputFor({ subnetID: 'subnet-000000a1' }, [a1]);
    const [desired] = planNodeENI(input).create;
    const attachments = [anENIAttachment({ name: desired?.name ?? '', spec: desired?.spec ?? {} })];
    const described = inputFor({ subnetID: 'subnet-000000a1', description: 'fast' }, [a1], {
      attachments,
    });
    expect(planNodeENI(described).update.map(({ spec }) => spec.description)).to.deep.equal([
      'fast',
    ]);
    const moved = inputFor({ subnetID: 'subnet-000000a1', deviceIndex: 4 }, [a1], { attachments });
    expect(planNodeENI(moved)).to.deep.include({ create: [], update: [], delete: [] });
    expect(planNodeENI(moved).replace).to.have.length(1);
    expect(planNodeENI(moved).replace[0]).to.deep.include({ node: 'node-a', stale: attachments });
  });

  it('names what each node should have, once nothing keeps the node from it', () => {
    const nodes = [{ ...aNode('node-x'), spec: {} }, aNode('node-a')];
    const input = inputFor({ subnetID: 'subnet-000000a1' }, [a1], { nodes });
    const plan = planNodeENI(input);
    const [desired] = plan.create;
    expect([...plan.planned]).to.deep.equal([['node-a', [desired?.name]]]);
    const attachments = [anENIAttachment({ name: desired?.name ?? '', spec: desired?.spec ?? {} })];
    expect(planNodeENI({ ...input, attachments }).planned).to.deep.equal(plan.planned);
    const moved = inputFor({ subnetID: 'subnet-000000a1', deviceIndex: 4 }, [a1], { attachments });
    expect([...planNodeENI(moved).planned], 'while the old one makes way').to.deep.equal([]);
  });

  it('ends no attachment of a matching node while the network is not known', () => {
    const zones = fc.constantFrom('us-west-2a', 'us-west-2b');
    const network: Network | ReturnType<typeof blocked> = blocked('SubnetNotFound', 'Gone');
    fc.assert(
      fc.property(fc.array(zones, { minLength: 1, maxLength: 5 }), (nodeZones) => {
        const nodes = nodeZones.map((zone, index) =>
          aNode(`node-${index}`, { zone, instance: `${INSTANCE_A.slice(0, -1)}${index}` }),
        );
        const attachments = nodes.map(({ metadata: { name } }, index) =>
          anENIAttachment({
            name: `storage-${index}`,
            spec: { nodeName: name, instanceID: `${INSTANCE_A.slice(0, -1)}${index}` },
          }),
        );
        const plan = planNodeENI({ nodeENI: aNodeENI(), nodes, attachments, network, defaults });
        expect([...plan.delete, ...plan.unselected]).to.deep.equal([]);
        expect(plan.desired).to.equal(nodes.length);
      }),
    );
  });
});
