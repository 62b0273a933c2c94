import { expect } from 'chai';
import fc from 'fast-check';
import type { ENIAttachment, ENIAttachmentStatus } from '../../../../src/api/eni-attachment.js';
import { TAGS } from '../../../../src/api/names.js';
import type { Node } from '../../../../src/api/node.js';
import type { KeptAddress, NodeENI } from '../../../../src/api/node-eni.js';
import type { Eni } from '../../../../src/aws/ec2-gateway.js';
import { AddressClaims } from '../../../../src/reconcilers/address-pool/address-claims.js';
import { AddressPool } from '../../../../src/reconcilers/address-pool/address-pool.js';
import type { AddressFacts } from '../../../../src/reconcilers/address-pool/choose-address.js';
import { keepAddresses } from '../../../../src/reconcilers/address-pool/kept-addresses.js';
import { primaryAddressOf } from '../../../../src/reconcilers/address-pool/primary-address.js';
import type { Network } from '../../../../src/reconcilers/node-eni/network-resolver.js';
import {
  type NodeENIPlan,
  planNodeENI,
} from '../../../../src/reconcilers/node-eni/plan-node-eni.js';
import { systemClock } from '../../../../src/runtime/clock.js';
import { aNode, aNodeENI, anENIAttachment, anEni, aSubnet } from '../../../support/objects.js';

const subnet = aSubnet('subnet-0000000a', { cidr: '10.0.1.0/24' });
const defaults = { deviceIndex: 1, deleteOnTermination: true };
const instanceOf = (index: number) => `i-0000000000000000${index}`;
const nodes = [0, 1, 2, 3].map((index) => aNode(`node-${index}`, { instance: instanceOf(index) }));
const [node0, node1] = nodes as [Node, Node];

function networkIn(...subnets: (typeof subnet)[]): Network {
  return {
    subnets: subnets.map((each) => ({ entry: each.id, by: 'id', subnets: [each] })),
    securityGroups: [{ id: 'sg-00000001', name: 'storage', vpcId: 'vpc-00000001' }],
    associatedGroups: new Map(),
  };
}

interface Scene {
  pool?: string[] | undefined;
  on?: readonly Node[];
  attachments?: readonly ENIAttachment[];
  kept?: KeptAddress[];
  enis?: readonly Eni[];
  others?: readonly ENIAttachment[];
  taken?: readonly string[];
  spec?: Partial<NodeENI['spec']>;
  network?: Network;
}

function planFor(scene: Scene): NodeENIPlan {
  const { on = [node0], attachments = [], kept, enis = [], others = [], taken = [] } = scene;
  const fromPool = scene.pool;
  const nodeENI = {
    ...aNodeENI({ ...(fromPool ? { ipv4: { primary: { fromPool } } } : {}), ...scene.spec }),
    ...(kept ? { status: { keptAddresses: kept } } : {}),
  };
  const addresses: AddressFacts = {
    attachmentsIn: (id) => [...attachments, ...others].filter(({ spec }) => spec.subnetID === id),
    enisIn: (id) => enis.filter(({ subnetId }) => subnetId === id),
    keptByOthers: [],
    isClaimed: ({ address }) => taken.includes(address),
  };
  const network = scene.network ?? networkIn(subnet);
  return planNodeENI({ nodeENI, nodes: on, attachments, network, defaults, addresses });
}

const pool = ['10.0.1.8/29'];

/** The attachments that a plan creates, with their ENIs. */
function made(plan: NodeENIPlan, status: Partial<ENIAttachmentStatus> = {}): ENIAttachment[] {
  return plan.create.map(({ name, spec }, index) =>
    anENIAttachment({
      name,
      spec,
      status: {
        phase: 'Ready',
        eniID: `eni-0000000${index}`,
        attachmentID: `eni-attach-${index}`,
        ...(spec.privateIPAddress ? { privateIPAddresses: [spec.privateIPAddress] } : {}),
        ...status,
      },
    }),
  );
}

function deleting(attachment: ENIAttachment): ENIAttachment {
  const metadata = { ...attachment.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' };
  return { ...attachment, metadata };
}

function refused(attachment: ENIAttachment): ENIAttachment {
  const condition = {
    type: 'Ready',
    status: 'False',
    reason: 'AddressTaken',
    message: '',
  } as const;
  const conditions = [{ ...condition, lastTransitionTime: '2026-01-01T00:00:00Z' }];
  return { ...attachment, status: { phase: 'Failed', conditions } };
}

const addressesIn = (plan: NodeENIPlan) =>
  plan.create.map(({ spec }) => [spec.nodeName, spec.privateIPAddress]);
const blockedIn = (plan: NodeENIPlan) =>
  plan.blocked.map(({ node, blocked, isServed }) => [node, blocked.reason, isServed]);

describe('the primary address of an ENI, with a pool', () => {
  it('is the first free one, by the names of the nodes', () => {
    const plan = planFor({ pool, on: nodes.toReversed() });
    expect(addressesIn(plan)).to.deep.equal([
      ['node-0', '10.0.1.8'],
      ['node-1', '10.0.1.9'],
      ['node-2', '10.0.1.10'],
      ['node-3', '10.0.1.11'],
    ]);
    expect(plan.create[0]?.spec).not.to.have.property('ipv4');
  });

  it('is none that an ENI of any NodeENI has: as primary or secondary address, or in a prefix', () => {
    const others = [
      anENIAttachment({ name: 'a', spec: { nodeENI: 'other', privateIPAddress: '10.0.1.8' } }),
      anENIAttachment({ name: 'b', status: { privateIPAddresses: ['10.0.1.200', '10.0.1.9'] } }),
      anENIAttachment({ name: 'c', status: { ipv4Prefixes: ['10.0.1.16/28'] } }),
      anENIAttachment({
        name: 'd',
        spec: { subnetID: 'subnet-0000000b', privateIPAddress: '10.0.1.10' },
      }),
    ];
    const enis = [anEni({ id: 'eni-1', privateIpAddresses: ['10.0.1.11'] })];
    const found = planFor({
      pool: ['10.0.1.8/30', '10.0.1.16/28', '10.0.1.32/28'],
      on: nodes,
      others,
      enis,
    });
    expect(addressesIn(found).map(([, address]) => address)).to.deep.equal([
      '10.0.1.10',
      '10.0.1.32',
      '10.0.1.33',
      '10.0.1.34',
    ]);
  });

  it('blocks the nodes for which the pool has none left, and no others', () => {
    const plan = planFor({ pool: ['10.0.1.8/31'], on: nodes });
    expect(addressesIn(plan).map(([node]) => node)).to.deep.equal(['node-0', 'node-1']);
    expect(blockedIn(plan)).to.deep.equal([
      ['node-2', 'AddressPoolExhausted', false],
      ['node-3', 'AddressPoolExhausted', false],
    ]);
    expect(plan.blocked[0]?.blocked.message).to.include('10.0.1.8/31').and.include(subnet.id);
    expect(plan.desired).to.equal(4);
    expect([...plan.planned.keys()]).to.deep.equal(['node-0', 'node-1']);
    const elsewhere = planFor({ pool: ['10.9.0.0/24'] });
    expect(elsewhere.blocked[0]?.blocked.message).to.include('has no address in subnet');
  });

  it('blocks nodes in a subnet without IPv4, and gives them their other ENIs', () => {
    const { cidr: _, ...ipv6Only } = aSubnet('subnet-0000000c', { ipv6Native: true });
    const plan = planFor({ pool, network: networkIn(ipv6Only, subnet) });
    expect(blockedIn(plan)).to.deep.equal([['node-0', 'SubnetIPv6Only', false]]);
    expect(plan.create.map(({ spec }) => spec.subnetID)).to.deep.equal([subnet.id]);
  });

  it('stays while the pool has it, in whatever order the pool says', () => {
    const attachments = made(planFor({ pool, on: nodes }));
    const next = planFor({ pool: ['10.0.1.64/26', ...pool], on: nodes, attachments });
    expect(next).to.deep.include({ create: [], update: [], delete: [], replace: [], blocked: [] });
  });

  it('is replaced by the rollout where the pool does not have it, old ENIs included', () => {
    const attachments = made(planFor({ on: [node0, node1] })).map((each, index) => ({
      ...each,
      status: { ...each.status, privateIPAddresses: [index === 0 ? '10.0.1.9' : '10.0.1.99'] },
    }));
    const plan = planFor({ pool, on: [node0, node1], attachments });
    expect(plan.replace.map(({ node, unavailable }) => [node, unavailable])).to.deep.equal([
      ['node-1', false],
    ]);
    expect(plan.replace[0]?.missing.map(({ spec }) => spec.privateIPAddress)).to.deep.equal([
      '10.0.1.8',
    ]);
    // The other one has an address of the pool by chance: from now on, that is its own.
    expect(plan.update.map(({ spec }) => spec.privateIPAddress)).to.deep.equal(['10.0.1.9']);
  });

  it('keeps an ENI of another address where there is none for a new one, with all that it has', () => {
    const attachments = made(planFor({ pool: ['10.0.1.99'] }));
    const spec = { deviceIndex: 5, mtu: 1500 };
    const others = [anENIAttachment({ name: 'x', spec: { privateIPAddress: '10.0.1.8' } })];
    const plan = planFor({ pool: ['10.0.1.8'], attachments, others, spec });
    expect(plan).to.deep.include({ create: [], update: [], delete: [], replace: [] });
    expect(blockedIn(plan)).to.deep.equal([['node-0', 'AddressPoolExhausted', true]]);
  });

  it('is not judged before it is known', () => {
    const [adopted] = made(planFor({}), { eniID: 'eni-00000009' });
    const attachments = [adopted ?? expect.fail()];
    const plan = planFor({ pool, attachments });
    expect(plan).to.deep.include({ create: [], update: [], delete: [], replace: [] });
  });

  it('is asked for where the attachment has no ENI yet', () => {
    const [pending] = made(planFor({}));
    const attachments = [{ ...(pending ?? expect.fail()), status: { phase: 'Pending' as const } }];
    expect(planFor({ pool, attachments }).replace).to.have.length(1);
  });

  it('is that of the ENI that a change replaces', () => {
    const attachments = made(planFor({ pool, on: nodes }));
    const [first, second] = attachments as [ENIAttachment, ENIAttachment];
    const spec = { deviceIndex: 2 };
    const plan = planFor({ pool, on: nodes, attachments, spec });
    expect(
      plan.replace.flatMap(({ missing }) => missing.map((each) => each.spec.privateIPAddress)),
    ).to.deep.equal(['10.0.1.8', '10.0.1.9', '10.0.1.10', '10.0.1.11']);
    const kept = keepAddresses({ kept: [], attachments, leaving: [second] });
    // Node 0 has left for good, so that its lower address is free.
    const left = attachments.filter((each) => each !== first && each !== second);
    const after = planFor({ pool, on: nodes.slice(1), attachments: left, spec, kept });
    expect(addressesIn(after)).to.deep.equal([['node-1', '10.0.1.9']]);
  });

  it('is that of the earlier instance of the node, once its ENI is gone', () => {
    const other = anENIAttachment({
      name: 'x',
      spec: { nodeName: 'x', privateIPAddress: '10.0.1.8' },
    });
    const [old] = made(planFor({ pool, others: [other] })) as [ENIAttachment];
    expect(old.spec.privateIPAddress).to.equal('10.0.1.9');
    const on = [aNode('node-0', { instance: 'i-0eeeeeeeeeeeeeeee' })];
    for (const attachments of [[old], [deleting(old)]]) {
      const plan = planFor({ pool, on, attachments });
      expect(plan.create).to.deep.equal([]);
      expect([...plan.planned.keys()]).to.deep.equal(['node-0']);
    }
    const kept = keepAddresses({ kept: [], attachments: [deleting(old)], leaving: [] });
    expect(addressesIn(planFor({ pool, on, kept }))).to.deep.equal([['node-0', '10.0.1.9']]);
  });

  it('is that of a retained ENI of the node', () => {
    const tags = { [TAGS.nodeENI]: 'storage', [TAGS.node]: 'node-1', [TAGS.retained]: 'storage' };
    const enis = [anEni({ id: 'eni-1', privateIpAddresses: ['10.0.1.8'], tags })];
    expect(addressesIn(planFor({ pool, on: [node0, node1], enis }))).to.deep.equal([
      ['node-0', '10.0.1.9'],
      ['node-1', '10.0.1.8'],
    ]);
  });

  it('of a node that is away is given to another only where no other is left', () => {
    const kept = ['10.0.1.9', '10.0.1.8'].map((address, index) => ({
      nodeID: `away-${index}`,
      subnetID: subnet.id,
      address,
    }));
    expect(addressesIn(planFor({ pool: ['10.0.1.8/30'], on: nodes, kept }))).to.deep.equal([
      ['node-0', '10.0.1.10'],
      ['node-1', '10.0.1.11'],
      ['node-2', '10.0.1.9'],
      ['node-3', '10.0.1.8'],
    ]);
    const mine = kept.map((entry) => ({ ...entry, nodeID: 'node-3' })).slice(0, 1);
    const plan = planFor({ pool: ['10.0.1.9'], on: nodes, kept: mine });
    expect(addressesIn(plan)).to.deep.equal([['node-3', '10.0.1.9']]);
  });

  it('that something else has is given up for the next one, and kept where there is none', () => {
    const attachments = made(planFor({ pool })).map(refused);
    const plan = planFor({ pool, attachments, taken: ['10.0.1.8', '10.0.1.9'] });
    expect(plan.replace.map(({ unavailable }) => unavailable)).to.deep.equal([true]);
    expect(plan.replace[0]?.missing[0]?.spec.privateIPAddress).to.equal('10.0.1.10');
    const going = attachments.map(deleting);
    expect(planFor({ pool, attachments: going, taken: ['10.0.1.8'] }).create).to.deep.equal([]);
    const alone = planFor({ pool: ['10.0.1.8'], attachments, taken: ['10.0.1.8'] });
    expect(alone).to.deep.include({ create: [], delete: [], replace: [], blocked: [] });
    const others = [anENIAttachment({ name: 'x', spec: { privateIPAddress: '10.0.1.64' } })];
    const left = planFor({ pool: ['10.0.1.64'], attachments, others });
    expect(left).to.deep.include({ create: [], delete: [], replace: [] });
    expect(blockedIn(left)).to.deep.equal([['node-0', 'AddressPoolExhausted', false]]);
  });

  it('stays where the pool is removed', () => {
    const attachments = made(planFor({ pool, on: nodes }));
    const plan = planFor({ on: nodes, attachments });
    expect(plan).to.deep.include({ create: [], update: [], delete: [], replace: [], blocked: [] });
  });

  it('leaves what ipv4 says of other addresses alone', () => {
    const primary = { fromPool: pool };
    const [first] = planFor({ spec: { ipv4: { primary, prefixes: 2 } } }).create;
    expect(first?.spec).to.deep.include({ ipv4: { prefixes: 2 }, privateIPAddress: '10.0.1.8' });
  });
});

/** What happens to a cluster with two NodeENIs, whose pools overlap. */
type Happening =
  | { do: 'join' | 'leave' | 'reinstall' | 'unattended'; node: number }
  | { do: 'pool'; of: number; pool: string[] }
  | { do: 'slot'; of: number; deviceIndex: number }
  | { do: 'pass'; of: number[] }
  | { do: 'finish' };

const POOLS = [['10.0.1.8/30'], ['10.0.1.10/31', '10.0.1.16/30'], ['10.0.1.0/27']];
const happenings: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({
    do: fc.constantFrom(
      'join' as const,
      'leave' as const,
      'reinstall' as const,
      'unattended' as const,
    ),
    node: fc.nat(3),
  }),
  fc.record({ do: fc.constant('pool' as const), of: fc.nat(1), pool: fc.constantFrom(...POOLS) }),
  fc.record({
    do: fc.constant('slot' as const),
    of: fc.nat(1),
    deviceIndex: fc.integer({ min: 1, max: 4 }),
  }),
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('pass' as const), of: fc.subarray([0, 1]) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('finish' as const) }) },
);

/** Carries out plans as the controller does, without EC2. */
class Model {
  readonly nodeENIs: NodeENI[] = [0, 1].map((index) => ({
    ...aNodeENI(
      { ipv4: { primary: { fromPool: POOLS[0] ?? [] } }, deviceIndex: index * 10 + 1 },
      { name: `nodeeni-${index}`, uid: `uid-${index}` },
    ),
    status: {},
  }));
  readonly nodes = new Map<string, Node>();
  attachments: ENIAttachment[] = [];
  private readonly claims = new AddressClaims({ clock: systemClock });
  private instances = 0;

  happen(happening: Happening): void {
    switch (happening.do) {
      case 'join':
      case 'reinstall':
        this.join(`node-${happening.node}`, happening.do === 'reinstall');
        break;
      case 'leave':
        this.nodes.delete(`node-${happening.node}`);
        break;
      case 'unattended':
        // kubectl delete eniattachment
        this.attachments = this.attachments.map((each) =>
          each.spec.nodeName === `node-${happening.node}` ? deleting(each) : each,
        );
        break;
      case 'pool':
        this.change(happening.of, { ipv4: { primary: { fromPool: happening.pool } } });
        break;
      case 'slot':
        this.change(happening.of, { deviceIndex: happening.of * 10 + happening.deviceIndex });
        break;
      case 'pass':
        this.pass(happening.of);
        break;
      case 'finish':
        this.attachments = this.attachments.filter((each) => !each.metadata.deletionTimestamp);
    }
  }

  /** All passes until nothing changes. */
  settle(): void {
    for (let round = 0; round < 12; round++) {
      this.pass([0]);
      this.pass([1]);
      this.happen({ do: 'finish' });
    }
  }

  /** The nodes with an ENI whose address is in the pool, and that. */
  pooled(of: number): string[] {
    const { metadata, spec } = this.nodeENIs[of] ?? expect.fail();
    const inPool = AddressPool.create(spec.ipv4?.primary?.fromPool ?? [], '10.0.1.0/24');
    return this.attachments
      .filter((each) => !each.metadata.deletionTimestamp)
      .filter((each) => each.spec.nodeENI === metadata.name)
      .filter((each) => inPool.includes(each.spec.privateIPAddress ?? ''))
      .map((each) => `${each.spec.nodeName} ${each.spec.privateIPAddress}`)
      .sort();
  }

  private join(name: string, again: boolean): void {
    if (again || !this.nodes.has(name)) {
      this.instances += 1;
      const instance = `i-${String(this.instances).padStart(17, '0')}`;
      this.nodes.set(name, aNode(name, { instance }));
    }
  }

  private change(of: number, spec: Partial<NodeENI['spec']>): void {
    const nodeENI = this.nodeENIs[of];
    if (nodeENI) nodeENI.spec = { ...nodeENI.spec, ...spec };
  }

  /** Several plan from the same state, before any of them writes. */
  private pass(of: number[]): void {
    const planned = of.map((index) => {
      const nodeENI = this.nodeENIs[index] ?? expect.fail();
      const own = this.attachments.filter(({ spec }) => spec.nodeENI === nodeENI.metadata.name);
      const plan = planNodeENI({
        nodeENI,
        nodes: [...this.nodes.values()],
        attachments: own,
        network: networkIn(subnet),
        defaults,
        addresses: {
          attachmentsIn: () => this.attachments,
          enisIn: () => [],
          keptByOthers: this.nodeENIs
            .filter((each) => each !== nodeENI)
            .flatMap(({ status }) => status?.keptAddresses ?? [])
            .map((kept) => ({ ...kept, isSelected: this.nodes.has(kept.nodeID) })),
          isClaimed: (address) => this.claims.has(address),
        },
      });
      const end = this.claims.claim(
        plan.create.map(({ spec }) => ({
          subnetID: spec.subnetID,
          address: spec.privateIPAddress ?? '',
        })),
      );
      return { nodeENI, plan, end };
    });
    for (const { nodeENI, plan, end } of planned) {
      this.carryOut(nodeENI, plan);
      end();
    }
  }

  private carryOut(nodeENI: NodeENI, plan: NodeENIPlan): void {
    const going = [...plan.delete, ...plan.unselected, ...(plan.replace[0]?.stale ?? [])];
    this.keep(nodeENI, going);
    for (const { attachment, spec } of plan.update) {
      this.attachments = this.attachments.map((each) =>
        each === attachment ? { ...each, spec } : each,
      );
    }
    const names = new Set(going.map(({ metadata }) => metadata.name));
    this.attachments = this.attachments.map((each) =>
      names.has(each.metadata.name) ? deleting(each) : each,
    );
    this.attachments.push(...made(plan));
    this.keep(nodeENI, []);
  }

  private keep(nodeENI: NodeENI, leaving: ENIAttachment[]): void {
    const attachments = this.attachments.filter(
      ({ spec }) => spec.nodeENI === nodeENI.metadata.name,
    );
    const kept = nodeENI.status?.keptAddresses ?? [];
    nodeENI.status = { keptAddresses: keepAddresses({ kept, attachments, leaving }) };
  }
}

describe('the primary addresses of a cluster', () => {
  it('are never shared, and stay while the node and the pool do, whatever happens', () => {
    let kept = 0;
    fc.assert(
      fc.property(fc.array(happenings, { maxLength: 60, size: 'max' }), (story) => {
        const model = new Model();
        for (const happening of story) {
          model.happen(happening);
          const addresses = model.attachments.map(primaryAddressOf);
          expect(new Set(addresses).size, JSON.stringify(addresses)).to.equal(addresses.length);
        }
        model.happen({ do: 'finish' });
        model.settle();
        const before = [0, 1].map((of) => model.pooled(of));
        // Every ENI is replaced, in every way; each node gets its own address again.
        for (const of of [0, 1]) model.happen({ do: 'slot', of, deviceIndex: 9 });
        model.settle();
        for (const [index] of nodes.entries()) {
          if (model.nodes.has(`node-${index}`)) model.happen({ do: 'reinstall', node: index });
        }
        model.settle();
        for (const of of [0, 1]) {
          const now = model.pooled(of);
          expect(now).to.deep.equal(before[of]);
          kept += now.length;
        }
      }),
      { numRuns: 100 },
    );
    expect(kept).to.be.greaterThan(0);
  });
});
