import { expect } from 'chai';
import type { ENIAttachment } from '../../../../src/api/eni-attachment.js';
import type { Node } from '../../../../src/api/node.js';
import {
  UncachedChecks,
  type UncachedChecksOptions,
} from '../../../../src/reconcilers/node-eni/uncached-checks.js';
import { KubeApiError } from '../../../../src/runtime/kube/kube-errors.js';
import {
  aNode,
  aNodeENI,
  anENIAttachment,
  INSTANCE_A,
  INSTANCE_B,
} from '../../../support/objects.js';

describe('UncachedChecks of nodes', () => {
  const nodeENI = aNodeENI({ nodeSelector: { role: 'storage', pool: 'b' } });
  const labels = nodeENI.spec.nodeSelector;
  const pageSize = 2;
  let nodes: Map<string, Node>;
  let requests: string[];

  const onNode = (index: number): ENIAttachment =>
    anENIAttachment({ name: `on-${index}`, spec: { nodeName: `node-${index}` } });
  const add = (index: number, more: Parameters<typeof aNode>[1] = {}) =>
    nodes.set(`node-${index}`, aNode(`node-${index}`, { labels, ...more }));

  /** Answers as the API server does, in pages of {@link pageSize} nodes. */
  const client: UncachedChecksOptions['nodes'] = {
    async get({ name }) {
      requests.push(`get ${name}`);
      const node = nodes.get(name);
      if (!node) throw new KubeApiError({ status: 404, reason: 'NotFound', message: name });
      return node;
    },
    async list({ labelSelector = '', continue: from = '0' } = {}) {
      requests.push(`list ${labelSelector}`);
      const pairs = labelSelector.split(',').map((pair) => pair.split('='));
      const selected = [...nodes.values()].filter(({ metadata }) =>
        pairs.every(([key = '', value]) => metadata.labels?.[key] === value),
      );
      const end = Number(from) + pageSize;
      return {
        items: selected.slice(Number(from), end),
        resourceVersion: '1',
        ...(end < selected.length ? { continue: String(end) } : {}),
      };
    },
  };

  const checksWith = (of: UncachedChecksOptions['nodes']) =>
    new UncachedChecks({
      nodeENIs: { get: () => Promise.reject(new Error('not asked for')) },
      nodes: of,
    });
  const unselected = async (attachments: readonly ENIAttachment[], selected: number) => {
    const confirmed = await checksWith(client).unselected(nodeENI, attachments, { selected });
    return confirmed.map(({ metadata }) => metadata.name);
  };

  beforeEach(() => {
    nodes = new Map();
    requests = [];
  });

  for (const [how, count, selected] of [
    ['each read', 9, 9],
    ['in one list', 12, 12],
    ['each read, where far more nodes are selected', 12, 400],
  ] as const) {
    it(`keeps the attachments whose nodes are gone, not selected or replaced: ${how}`, async () => {
      add(0);
      add(1, { labels: { role: 'storage' } });
      add(2, { instance: INSTANCE_B });
      add(3);
      add(4, { instance: INSTANCE_A });
      const attachments = Array.from({ length: count }, (_, index) => onNode(index));
      const gone = attachments.slice(5).map(({ metadata }) => metadata.name);
      expect(await unselected(attachments, selected)).to.deep.equal(['on-1', 'on-2', ...gone]);
      const lists = requests.filter((request) => request.startsWith('list'));
      if (how === 'in one list') {
        expect(requests).to.deep.equal(Array(2).fill('list role=storage,pool=b'));
      } else {
        expect(lists).to.deep.equal([]);
        expect(requests).to.have.length(count);
      }
    });
  }

  it('fails where the API server does not answer, so that nothing is deleted', async () => {
    const failing = { ...client, list: () => Promise.reject(new Error('timeout')) };
    const attachments = Array.from({ length: 20 }, (_, index) => onNode(index));
    const answer = await checksWith(failing)
      .unselected(nodeENI, attachments, { selected: 0 })
      .catch((error: Error) => error.message);
    expect(answer).to.equal('timeout');
  });
});
