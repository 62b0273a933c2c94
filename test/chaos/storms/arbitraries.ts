import fc from 'fast-check';
import type { NodeENISpec } from '../../../src/api/node-eni.js';
import { DEFAULT_IDS } from '../../../tools/ec2-simulator/index.js';
import {
  type Action,
  EC2_WRITES,
  type Edit,
  ROLES,
  type Role,
  type Size,
  type Step,
  type StormPlan,
  type Tampering,
  type ZoneLetter,
} from './plan.js';

/** How large a storm is. */
export interface StormSize {
  /** Nodes at first. */
  nodes: number;
  /** NodeENIs at first. */
  nodeENIs: number;
  rounds: number;
  stepsPerRound: number;
  /** Whether the API server may be restarted: only where the storm alone uses it. */
  apiServerRestarts: boolean;
}

const { net1A, net1B, net2A, net2B } = DEFAULT_IDS.subnets;
const { net1, nodes: nodesGroup } = DEFAULT_IDS.groups;

const SUBNETS: readonly Edit[] = [
  { subnetName: 'net1' },
  { subnetName: 'net2' },
  { subnetNames: ['net1', 'net2'] },
  { subnetNames: ['net2', 'net1'] },
  { subnetIDs: [net1A, net1B] },
  { subnetIDs: [net2B, net1A, net2A] },
];
const SUBNETS_OF_ONE_ZONE: readonly Edit[] = [{ subnetID: net1A }, { subnetID: net2B }];
const GROUPS: readonly Edit[] = [
  { securityGroupIDs: [net1] },
  { securityGroupIDs: [nodesGroup, net1] },
  { securityGroupNames: ['nodes'] },
  { securityGroupNames: ['net1', 'default'] },
];
/** First slots that leave room for one another's two subnets, where all go by their order. */
const SPACIOUS_SLOTS = [1, 3, 5, 7, 9, 11, 13];

/** Parts of all subnets, with more addresses than a storm has ENIs; the second is a part of the first. */
const POOLS: readonly NonNullable<NodeENISpec['ipv4']>[] = [
  { primary: { fromPool: ['10.0.64.0/22', '10.0.96.0/22', '10.0.128.0/22', '10.0.160.0/22'] } },
  { primary: { fromPool: ['10.0.66.0/23', '10.0.98.0/23', '10.0.130.0/23', '10.0.162.0/23'] } },
];

const role = fc.constantFrom<Role[]>(...ROLES);
const roles = fc.subarray([...ROLES], { minLength: 1, maxLength: 2 });
const zone = fc.constantFrom<ZoneLetter[]>('a', 'b');
const size = fc.oneof(
  { weight: 14, arbitrary: fc.constant<Size>('large') },
  { weight: 1, arbitrary: fc.constant<Size>('medium') },
  { weight: 1, arbitrary: fc.constant<Size>('small') },
);
const pick = fc.nat(999);
const times = fc.integer({ min: 1, max: 3 });
const when = fc.constantFrom('before' as const, 'after' as const);
const write = fc.constantFrom(...EC2_WRITES);
const subnets = fc.oneof(
  { weight: 15, arbitrary: fc.constantFrom(...SUBNETS) },
  { weight: 1, arbitrary: fc.constantFrom(...SUBNETS_OF_ONE_ZONE) },
);
const slot = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...SPACIOUS_SLOTS) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 6 }) },
);
const tags = fc.constantFrom<Record<string, string>[]>(
  {},
  { team: 'red' },
  { team: 'blue', tier: '1' },
);

const spec: fc.Arbitrary<NodeENISpec> = fc
  .record({
    subnets,
    groups: fc.constantFrom(...GROUPS),
    rest: fc.record(
      {
        nodeSelector: role.map((each) => ({ [each]: 'true' })),
        deviceIndex: slot,
        deleteOnTermination: fc.boolean(),
        description: fc.constantFrom('first', 'second'),
        tags,
        ipv4: fc.constantFrom(...POOLS),
        updatePolicy: fc.oneof(
          { weight: 5, arbitrary: fc.constant({ maxUnavailable: '100%' }) },
          { weight: 1, arbitrary: fc.constant({ maxUnavailable: 1 }) },
        ),
      },
      { requiredKeys: ['nodeSelector', 'deviceIndex', 'updatePolicy'] },
    ),
  })
  .map(({ subnets: chosen, groups, rest }) => ({ ...rest, ...chosen, ...groups }));

const edit: fc.Arbitrary<Edit> = fc.oneof(
  subnets,
  fc.constantFrom(...GROUPS),
  fc.record({ deviceIndex: slot }),
  fc.record({ tags }),
  fc.record({ ipv4: fc.constantFrom(...POOLS) }),
  fc.record({ description: fc.constantFrom('first', 'second') }),
  fc.record({ deleteOnTermination: fc.boolean() }),
  fc.record({ nodeSelector: role.map((each) => ({ [each]: 'true' })) }),
);

const instance = fc.constantFrom('runs on' as const, 'terminated' as const);
const addNode = fc.record({ do: fc.constant('addNode' as const), zone, size, roles });
const createNodeENI = fc.record({ do: fc.constant('createNodeENI' as const), spec });
const on = <T extends string>(what: T) => fc.record({ do: fc.constant(what), node: pick });
const just = <T extends string>(what: T) => fc.constant({ do: what });

/** What users do, what EC2 does, and what befalls the controller. */
function action({ apiServerRestarts }: StormSize): fc.Arbitrary<Action> {
  const weighted: [number, fc.Arbitrary<Action>][] = [
    [4, addNode],
    [2, fc.record({ do: fc.constant('deleteNode' as const), node: pick, instance })],
    [3, fc.record({ do: fc.constant('replaceNode' as const), node: pick, instance, zone })],
    [8, fc.record({ do: fc.constant('label' as const), node: pick, role, on: fc.boolean() })],
    [3, createNodeENI],
    [8, fc.record({ do: fc.constant('editNodeENI' as const), nodeENI: pick, change: edit })],
    [2, fc.record({ do: fc.constant('deleteNodeENI' as const), nodeENI: pick })],
    [3, fc.record({ do: fc.constant('deleteAttachment' as const), attachment: pick })],
    [1, on('terminateInstance')],
    [1, on('forgetInstance')],
    [2, on('stopInstance')],
    [2, on('startInstance')],
    [6, fc.record({ do: fc.constant('tamper' as const), how: tampering, eni: pick })],
    [
      5,
      fc
        .record({ do: fc.constant('fail' as const), action: write, failure, times })
        .map(({ failure: f, ...rest }) => ({ ...rest, ...f })),
    ],
    [5, fc.record({ do: fc.constant('loseAnswer' as const), action: write, when, times })],
    [2, fc.record({ do: fc.constant('stall' as const), transition })],
    [2, fc.record({ do: fc.constant('slowDown' as const), latencyMs: fc.nat(400) })],
    [3, just('killController')],
    [3, just('startController')],
    [2, just('pauseController')],
    [2, just('resumeController')],
    ...(apiServerRestarts
      ? [[0.3, just('restartApiServer')] as [number, fc.Arbitrary<Action>]]
      : []),
  ];
  return fc.oneof(
    ...weighted.map(([weight, arbitrary]) => ({ weight: Math.round(weight * 10), arbitrary })),
  );
}

const tampering = fc.constantFrom<Tampering[]>('detach', 'delete', 'groups', 'description', 'tags');
const transition = fc.constantFrom('attach' as const, 'detach' as const);
/** What EC2 refuses it has not done; of what it failed at, one cannot know. */
const failure = fc.oneof(
  fc.record({ code: fc.constantFrom('InternalError', 'Unavailable'), when }),
  fc.record({
    code: fc.constantFrom('RequestLimitExceeded', 'UnauthorizedOperation'),
    when: fc.constant('before' as const),
  }),
);

/** Mostly a burst, sometimes long enough for EC2 and the controller to come a few steps further. */
const pauseMs = fc.oneof(
  { weight: 4, arbitrary: fc.nat(40) },
  { weight: 2, arbitrary: fc.integer({ min: 40, max: 300 }) },
  { weight: 1, arbitrary: fc.integer({ min: 300, max: 900 }) },
);

export function storm(size: StormSize): fc.Arbitrary<StormPlan> {
  const { nodes, nodeENIs, rounds, stepsPerRound } = size;
  const step: fc.Arbitrary<Step> = fc.record({ action: action(size), pauseMs });
  return fc.record({
    setting: fc
      .tuple(
        fc.array(addNode, { minLength: nodes, maxLength: nodes, size: 'max' }),
        fc.array(createNodeENI, { minLength: nodeENIs, maxLength: nodeENIs }),
      )
      .map(([first, then]): Action[] => [...first, ...then]),
    rounds: fc.array(fc.array(step, { minLength: 1, maxLength: stepsPerRound, size: 'max' }), {
      minLength: rounds,
      maxLength: rounds,
    }),
  });
}
