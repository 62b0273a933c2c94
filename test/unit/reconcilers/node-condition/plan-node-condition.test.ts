import { expect } from 'chai';
import type { ENIAttachment } from '../../../../src/api/eni-attachment.js';
import type { Node } from '../../../../src/api/node.js';
import type { NodeENI } from '../../../../src/api/node-eni.js';
import { blocked } from '../../../../src/api/reasons.js';
import {
  type NodeConditionStep,
  planNodeCondition,
} from '../../../../src/reconcilers/node-condition/plan-node-condition.js';
import type { BlockedOnNode } from '../../../../src/reconcilers/node-eni/planned-attachments.js';
import { aNode, aNodeENI, anENIAttachment, INSTANCE_B } from '../../../support/objects.js';

const TYPE = 'networking.k8s.aws/ENIsReady';
const FULL = blocked('SubnetFull', 'The subnet has no free address');

const one = aNodeENI({}, { name: 'one' });
const two = aNodeENI({}, { name: 'two', uid: '2' });

/** An attachment of a NodeENI on node-a. */
function attachment(
  of: NodeENI,
  overrides: Parameters<typeof anENIAttachment>[0] = {},
): ENIAttachment {
  const { name } = of.metadata;
  return anENIAttachment({
    name: `${name}-a`,
    status: { phase: 'Ready', observedGeneration: 1 },
    ...overrides,
    spec: { nodeENI: name, ...overrides.spec },
  });
}

const failed = (of: NodeENI) =>
  attachment(of, {
    status: {
      phase: 'Failed',
      conditions: [{ type: 'Ready', status: 'False', ...FULL, lastTransitionTime: '' }],
    },
  });

interface World {
  nodeENIs?: NodeENI[];
  attachments?: ENIAttachment[];
  /** Names of NodeENIs without a plan for the node. */
  unplanned?: string[];
  blockedOn?: Record<string, BlockedOnNode>;
  present?: { status: 'True' | 'False' | 'Unknown'; reason?: string; message?: string };
  metadata?: object;
}

function plan({ nodeENIs = [one], attachments = [], present, ...world }: World): NodeConditionStep {
  const node: Node = aNode('node-a');
  Object.assign(node.metadata, world.metadata);
  if (present) {
    const condition = { type: TYPE, reason: '', message: '', lastTransitionTime: '', ...present };
    node.status = { conditions: [condition] };
  }
  const name = ({ metadata }: NodeENI) => metadata.name;
  return planNodeCondition({
    node,
    nodeENIs,
    planned: (of) => (world.unplanned?.includes(name(of)) ? undefined : [`${name(of)}-a`]),
    blockedOn: (of) => world.blockedOn?.[name(of)],
    attachment: (called) => attachments.find(({ metadata }) => metadata.name === called),
    attachmentsOn: (instance) => attachments.filter(({ spec }) => spec.instanceID === instance),
  });
}

function written(world: World): [status: string, reason: string, message: string, later: boolean] {
  const step = plan(world);
  if (step.do !== 'write') throw new Error(`it is to ${step.do}`);
  const { type, status, reason, message } = step.condition;
  expect(type).to.equal(TYPE);
  return [status, reason, message, step.later];
}

describe('planNodeCondition', () => {
  it('says that the ENIs of all NodeENIs that select the node are ready', () => {
    const elsewhere = aNodeENI({ nodeSelector: { role: 'other' } }, { name: 'other', uid: '3' });
    const world = {
      nodeENIs: [two, one, elsewhere],
      attachments: [attachment(one), attachment(two)],
    };
    expect(written(world)).to.deep.equal([
      'True',
      'AllReady',
      'The ENIs of one, two are ready.',
      false,
    ]);
  });

  for (const [what, is] of [
    ['is not there', undefined],
    ['is being attached', attachment(two, { status: { phase: 'Attaching' } })],
    ['waits for the agent', attachment(two, { status: { phase: 'Attached' } })],
    ['is on another instance', attachment(two, { spec: { instanceID: INSTANCE_B } })],
    ['is being deleted', attachment(two, { metadata: { deletionTimestamp: 'now' } })],
  ] as const) {
    it(`names who is waited for where an ENI ${what}`, () => {
      const attachments = [attachment(one), ...(is ? [is] : [])];
      expect(written({ nodeENIs: [one, two], attachments })).to.deep.equal([
        'False',
        'InProgress',
        'Waiting for the ENIs of two.',
        false,
      ]);
    });
  }

  it('gives the reason of an ENI that has failed, before what is on its way', () => {
    const world = { nodeENIs: [one, two], attachments: [failed(two)] };
    expect(written(world)).to.deep.equal(['False', 'SubnetFull', `two: ${FULL.message}`, false]);
  });

  it('gives the reason why a NodeENI cannot be planned for the node', () => {
    const blockedOn = { one: { blocked: FULL, isServed: false } };
    const world = { unplanned: ['one'], blockedOn };
    expect(written(world)).to.deep.equal(['False', 'SubnetFull', `one: ${FULL.message}`, false]);
    const incomplete = { ...world, attachments: [attachment(one)] };
    expect(written(incomplete)[1], 'with some of its ENIs').to.equal('SubnetFull');
  });

  it('stays True where a NodeENI cannot be carried out and the node keeps usable ENIs', () => {
    const world = {
      unplanned: ['one'],
      blockedOn: { one: { blocked: FULL, isServed: true } },
      attachments: [attachment(one)],
    };
    expect(written(world)[0]).to.equal('True');
    expect(written({ ...world, attachments: [] })[0], 'without ENIs').to.equal('False');
    const down = [attachment(one, { status: { phase: 'Attached' } })];
    expect(written({ ...world, attachments: down })[0], 'with one that is down').to.equal('False');
  });

  it('is Unknown after a while where nothing has been planned yet', () => {
    expect(written({ unplanned: ['one'] })).to.deep.equal([
      'Unknown',
      'NotPlanned',
      'The controller has not planned the ENIs of one yet.',
      true,
    ]);
  });

  for (const status of ['True', 'False', 'Unknown'] as const) {
    it(`keeps ${status} where nothing has been planned yet: a new controller makes no node unready`, () => {
      expect(plan({ unplanned: ['one'], present: { status } })).to.deep.equal({ do: 'leave' });
    });
  }

  it('goes from True to InProgress only after a while, and to a reason at once', () => {
    const present = { status: 'True' } as const;
    expect(written({ present })[3]).to.equal(true);
    expect(written({ present, attachments: [failed(one)] })[3]).to.equal(false);
    expect(written({ present: { status: 'Unknown' } })[3]).to.equal(false);
  });

  it('counts an ENI as ready while its settings change in place', () => {
    const changing = attachment(one, {
      metadata: { generation: 2 },
      status: { phase: 'Ready', observedGeneration: 1 },
    });
    expect(written({ attachments: [changing] })[0]).to.equal('True');
  });

  it('is written only where it changes', () => {
    const [, reason, message] = written({ attachments: [attachment(one)] });
    const present = { status: 'True', reason, message } as const;
    expect(plan({ attachments: [attachment(one)], present })).to.deep.equal({ do: 'leave' });
    const other = { ...present, message: 'another' };
    expect(plan({ attachments: [attachment(one)], present: other }).do).to.equal('write');
  });

  it('goes where no NodeENI selects the node, and stays on a node that goes', () => {
    const deleted = aNodeENI({}, { name: 'one', deletionTimestamp: 'now' });
    const present = { status: 'True' } as const;
    expect(plan({ nodeENIs: [deleted], present })).to.deep.equal({ do: 'remove' });
    expect(plan({ nodeENIs: [] })).to.deep.equal({ do: 'leave' });
    const metadata = { deletionTimestamp: 'now' };
    expect(plan({ nodeENIs: [], present, metadata })).to.deep.equal({ do: 'leave' });
  });

  it('has a message that one can read, whatever it is about', () => {
    const nodeENIs = Array.from({ length: 8 }, (_, index) =>
      aNodeENI({}, { name: `n${index}`, uid: `${index}` }),
    );
    expect(written({ nodeENIs })[2]).to.equal(
      'Waiting for the ENIs of n0, n1, n2, n3, n4 and 3 more.',
    );
    const hostile = blocked('AccessDenied', `\u001b[2J${'x'.repeat(5_000)}`);
    const blockedOn = { one: { blocked: hostile, isServed: false } };
    const [, , message] = written({ unplanned: ['one'], blockedOn });
    expect(message).to.include('\\x1b[2J').and.to.have.length(1_024);
  });
});
