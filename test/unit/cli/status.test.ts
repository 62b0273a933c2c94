import { expect } from 'chai';
import type { ENIAttachment } from '../../../src/api/eni-attachment.js';
import type { NodeENI } from '../../../src/api/node-eni.js';
import { createStyle } from '../../../src/cli/output/style.js';
import { pacesOf } from '../../../src/cli/status/pace.js';
import { statusLines } from '../../../src/cli/status/status-lines.js';
import { statusView } from '../../../src/cli/status/status-view.js';

const NOW = Date.parse('2026-01-01T00:10:00Z');
const metadata = (name: string) => ({ name, uid: name, resourceVersion: '1', generation: 1 });
const condition = (type: string, reason: string, message: string, status = 'True') => ({
  type,
  reason,
  message,
  status: status as 'True' | 'False',
  lastTransitionTime: '2026-01-01T00:00:00Z',
});

function nodeENI(name: string, status: NodeENI['status']): NodeENI {
  return {
    metadata: metadata(name),
    spec: { nodeSelector: { a: 'b' } },
    ...(status ? { status: { observedGeneration: 1, ...status } } : {}),
  };
}

function attachment(name: string, change: Partial<ENIAttachment['status']>): ENIAttachment {
  return {
    metadata: metadata(name),
    spec: {
      nodeENI: 'storage',
      nodeName: `node-${name}`,
      instanceID: 'i-0123456789abcdef0',
      subnetID: 'subnet-0123456789abcdef0',
      securityGroupIDs: ['sg-0123456789abcdef0'],
      deviceIndex: 1,
      networkCardIndex: 0,
      deleteOnTermination: true,
    },
    status: { observedGeneration: 1, lastUpdated: '2026-01-01T00:09:00Z', ...change },
  };
}

const input = {
  nodeENIs: [
    nodeENI('fine', { nodes: 1, desired: 1, attached: 1, ready: 1 }),
    nodeENI('new', undefined),
    nodeENI('storage', {
      nodes: 2,
      desired: 2,
      attached: 1,
      ready: 1,
      conditions: [condition('Degraded', 'SlotTaken', '1 of 2 nodes lack ENIs (b).')],
    }),
  ],
  attachments: [
    attachment('a', { phase: 'Ready' }),
    attachment('b', { phase: 'Creating' }),
    attachment('c', {
      phase: 'Failed',
      conditions: [condition('Ready', 'SlotTaken', 'Taken by \u001b[2Jeni-1.', 'False')],
    }),
  ],
  now: NOW,
};

describe('kubectl eni status', () => {
  it('shows problems first, of NodeENIs and of ENIs', () => {
    const view = statusView(input);
    expect(view.nodeENIs.map(({ name, state }) => [name, state])).to.deep.equal([
      ['storage', 'Degraded'],
      ['new', 'NotReconciled'],
      ['fine', 'Ready'],
    ]);
    expect(view.waiting.map((each) => [each.attachment, each.isProblem, each.forMs])).to.deep.equal(
      [
        ['c', true, 60_000],
        ['b', false, 60_000],
      ],
    );
  });

  it('counts the ENIs of one node where one is named', () => {
    const view = statusView({ ...input, node: 'node-a' });
    expect(view).to.deep.include({ waiting: [] });
    expect(view.nodeENIs.map(({ name, ready, desired }) => [name, ready, desired])).to.deep.equal([
      ['storage', 1, 1],
    ]);
  });

  it('prints one screen on which nothing from the cluster is a command for the terminal', () => {
    const paces = pacesOf(
      'eni_ec2_budget_waiting{action="CreateNetworkInterface"} 10\neni_ec2_budget_rate{action="CreateNetworkInterface"} 5\neni_ec2_budget_waiting{action="CreateTags"} 0\n',
    );
    const style = createStyle({ isColoured: false });
    const lines = statusLines(statusView(input), { style, paces });
    expect(lines.join('\n')).to.equal(`storage: 1 of 2 nodes lack ENIs (b).

new: The controller has not processed this version yet. Is it running?

NODEENI   PROGRESS               READY   ATTACHED   LEAVING   NODES   STATE
storage   ██████████░░░░░░░░░░   1/2     1          0         2       Degraded
new       ████████████████████   0/0     0          0         0       NotReconciled
fine      ████████████████████   1/1     1          0         1       Ready

NODE     NODEENI   ENI   PHASE      FOR   WHY
node-c   storage   -     Failed     60s   SlotTaken: Taken by \\x1b[2Jeni-1.
node-b   storage   -     Creating   60s   -

ENIs wait for EC2's request rate. More controllers or workers do not help.
EC2 ACTION               WAITING   RATE    DONE IN
CreateNetworkInterface   10        5.0/s   2s`);
  });

  it('says that a node has no ENIs', () => {
    const style = createStyle({ isColoured: false });
    const view = statusView({ ...input, node: 'other' });
    expect(statusLines(view, { style, node: 'other' })).to.deep.equal([
      'No NodeENI gives node other an ENI.',
    ]);
  });

  it('counts what does not fit', () => {
    const style = createStyle({ isColoured: false });
    const lines = statusLines(statusView(input), { style, maxWaiting: 1 });
    expect(lines.at(-1)).to.equal('… and 1 more ENIs that are not ready');
  });
});
