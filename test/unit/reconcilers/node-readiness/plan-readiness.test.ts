import { expect } from 'chai';
import fc from 'fast-check';
import type { ENIAttachment } from '../../../../src/api/eni-attachment.js';
import { DEFAULT_STARTUP_TAINT } from '../../../../src/api/names.js';
import type { Node } from '../../../../src/api/node.js';
import { type Taint, taintName } from '../../../../src/api/node.js';
import {
  planReadiness,
  type ReadinessInput,
  taintRemoval,
} from '../../../../src/reconcilers/node-readiness/plan-readiness.js';
import { applyJsonPatch } from '../../../support/json-patch.js';
import { aNode, aNodeENI, anENIAttachment, INSTANCE_B } from '../../../support/objects.js';

const OURS: Taint = { key: 'networking.k8s.aws/eni-not-ready', effect: 'NoSchedule' };
const CUSTOM: Taint = { key: 'example.com/wait', effect: 'NoExecute' };
const FOREIGN: Taint = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };

const storage = aNodeENI();
const backup = aNodeENI({}, { name: 'backup', uid: '2' });

function tainted(...taints: Taint[]): Node {
  const node = aNode('node-a');
  return { ...node, spec: { ...node.spec, taints } };
}

function readyRecord(
  name: string,
  overrides: Parameters<typeof anENIAttachment>[0] = {},
): ENIAttachment {
  return anENIAttachment({ name, status: { phase: 'Ready', observedGeneration: 1 }, ...overrides });
}

/** One NodeENI, whose two ENIs are ready on a node with the default taint. */
function input({
  attachments = [readyRecord('x'), readyRecord('y')],
  ...overrides
}: Partial<ReadinessInput> & { attachments?: ENIAttachment[] } = {}): ReadinessInput {
  return {
    node: tainted(FOREIGN, OURS),
    nodeENIs: [storage],
    planned: ({ metadata }) => (metadata.name === 'storage' ? ['x', 'y'] : ['z']),
    attachment: (name) => attachments.find(({ metadata }) => metadata.name === name),
    ...overrides,
  };
}

describe('planReadiness', () => {
  it('removes the startup taint once all ENIs are ready', () => {
    expect(planReadiness(input())).to.deep.equal({
      do: 'remove',
      taints: [OURS],
      nodeENIs: ['storage'],
      leftOut: [],
    });
  });

  describe('with a NodeENI that is blocked on the node', () => {
    const failed = anENIAttachment({
      name: 'z',
      spec: { nodeENI: 'backup' },
      status: { phase: 'Failed' },
    });
    const ready = [readyRecord('x'), readyRecord('y')];
    const nodeENIs = [storage, backup];
    const overdue = ({ metadata }: typeof backup) => metadata.name === 'backup';

    it('waits for it, and says for which one', () => {
      const step = planReadiness(input({ nodeENIs, attachments: [...ready, failed] }));
      expect(step).to.deep.equal({ do: 'wait', blocked: [backup] });
      const unplanned = planReadiness(
        input({
          nodeENIs,
          planned: ({ metadata }) => (metadata.name === 'storage' ? ['x', 'y'] : undefined),
        }),
      );
      expect(unplanned).to.deep.equal({ do: 'wait', blocked: [backup] });
    });

    it('no longer waits for it once it is overdue, if another’s ENIs are ready', () => {
      const step = planReadiness(input({ nodeENIs, attachments: [...ready, failed], overdue }));
      expect(step).to.deep.equal({
        do: 'remove',
        taints: [OURS],
        nodeENIs: ['storage'],
        leftOut: ['backup'],
      });
    });

    it('keeps the taint of a node without any ready ENI, and waits for ENIs on their way', () => {
      const always = { overdue: () => true, nodeENIs };
      const alone = input({ ...always, nodeENIs: [backup], attachments: [failed] });
      expect(planReadiness(alone)).to.deep.equal({ do: 'wait', blocked: [backup] });
      const attaching = readyRecord('z', {
        spec: { nodeENI: 'backup' },
        status: { phase: 'Attaching' },
      });
      const busy = input({ ...always, attachments: [...ready, attaching] });
      expect(planReadiness(busy)).to.deep.equal({ do: 'wait', blocked: [] });
    });
  });

  const x = readyRecord('x');
  const late: [string, Parameters<typeof input>[0]][] = [
    ['an attachment is missing', { attachments: [x] }],
    [
      'an ENI is attached only',
      { attachments: [x, readyRecord('y', { status: { phase: 'Attached' } })] },
    ],
    [
      'an attachment’s spec has changed since',
      { attachments: [x, readyRecord('y', { metadata: { generation: 2 } })] },
    ],
    [
      'an attachment is being deleted',
      {
        attachments: [
          x,
          readyRecord('y', { metadata: { generation: 1, deletionTimestamp: 'now' } }),
        ],
      },
    ],
    [
      'an ENI is an earlier instance’s',
      { attachments: [x, readyRecord('y', { spec: { instanceID: INSTANCE_B } })] },
    ],
    [
      'an attachment is another NodeENI’s',
      { attachments: [x, readyRecord('y', { spec: { nodeENI: 'other' } })] },
    ],
    ['what the node should have is not known', { planned: () => undefined }],
    ['another NodeENI that selects the node lacks an ENI', { nodeENIs: [storage, backup] }],
    ['the node’s instance is not known', { node: { ...tainted(OURS), spec: { taints: [OURS] } } }],
  ];
  for (const [circumstance, overrides] of late) {
    it(`waits while ${circumstance}`, () => {
      expect(planReadiness(input(overrides)).do).to.equal('wait');
    });
  }

  const noMatter: [string, ReturnType<typeof aNodeENI>][] = [
    ['is being deleted', aNodeENI({}, { ...backup.metadata, deletionTimestamp: 'now' })],
    ['does not select the node', aNodeENI({ nodeSelector: { role: 'web' } }, backup.metadata)],
  ];
  for (const [what, other] of noMatter) {
    it(`does not wait for a NodeENI that ${what}`, () => {
      expect(planReadiness(input({ nodeENIs: [storage, other] })).do).to.equal('remove');
    });
  }

  it('removes what the NodeENIs of the node name, and the default, together', () => {
    const custom = aNodeENI({ startupTaint: taintName(CUSTOM) });
    const step = planReadiness(input({ node: tainted(CUSTOM, FOREIGN, OURS), nodeENIs: [custom] }));
    expect(step).to.deep.include({ do: 'remove', taints: [CUSTOM, OURS] });
  });

  it('leaves a node alone that has no startup taint', () => {
    expect(planReadiness(input({ node: tainted(FOREIGN) }))).to.deep.equal({ do: 'leave' });
    expect(planReadiness(input({ node: tainted(CUSTOM) }))).to.deep.equal({ do: 'leave' });
  });

  it('leaves a taint alone that has the key with another effect', () => {
    const node = tainted({ ...OURS, effect: 'NoExecute' });
    expect(planReadiness(input({ node }))).to.deep.equal({ do: 'leave' });
  });

  it('reports a startup taint on a node that no NodeENI selects', () => {
    const node = { ...tainted(OURS), metadata: { ...tainted().metadata, labels: {} } };
    expect(planReadiness(input({ node }))).to.deep.equal({ do: 'report', taints: [OURS] });
    expect(planReadiness(input({ nodeENIs: [] }))).to.deep.equal({ do: 'report', taints: [OURS] });
  });

  it('reports a startup taint whose NodeENI does not select the node, while another does', () => {
    const elsewhere = aNodeENI(
      { nodeSelector: { role: 'web' }, startupTaint: taintName(CUSTOM) },
      backup.metadata,
    );
    const step = planReadiness(input({ node: tainted(CUSTOM), nodeENIs: [storage, elsewhere] }));
    expect(step).to.deep.equal({ do: 'report', taints: [CUSTOM] });
  });
});

describe('taintRemoval', () => {
  const taints = fc.uniqueArray(
    fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd'),
      effect: fc.constantFrom('NoSchedule', 'NoExecute'),
    }),
    { selector: taintName, maxLength: 8 },
  );

  it('takes off those taints and no other', () => {
    fc.assert(
      fc.property(taints, fc.array(fc.nat(7)), (all, picked) => {
        const removed = all.filter((_, index) => picked.includes(index));
        const node = tainted(...all);
        expect(applyJsonPatch(node, taintRemoval(node, removed)).spec?.taints).to.deep.equal(
          all.filter((taint) => !removed.includes(taint)),
        );
      }),
    );
  });

  it('loses no taint that a user changed meanwhile: it takes off the right ones, or fails', () => {
    fc.assert(
      fc.property(taints, fc.array(fc.nat(7)), taints, (known, picked, live) => {
        const removed = known.filter((_, index) => picked.includes(index)).map(taintName);
        const patch = taintRemoval(
          tainted(...known),
          known.filter((taint) => removed.includes(taintName(taint))),
        );
        let left: Taint[] | undefined;
        try {
          left = applyJsonPatch(tainted(...live), patch).spec?.taints;
        } catch {
          return;
        }
        expect(left).to.deep.equal(live.filter((taint) => !removed.includes(taintName(taint))));
      }),
    );
  });

  it('fails on another Node of the name', () => {
    const node = tainted(OURS);
    const successor = { ...node, metadata: { ...node.metadata, uid: 'another' } };
    expect(() => applyJsonPatch(successor, taintRemoval(node, [OURS]))).to.throw('/metadata/uid');
  });

  it('knows the default taint by its name', () => {
    expect(taintName(OURS)).to.equal(DEFAULT_STARTUP_TAINT);
  });
});
