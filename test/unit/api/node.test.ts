import { expect } from 'chai';
import { type Node, trimNode } from '../../../src/api/node.js';

const metadata = { name: 'node-a', uid: 'uid', resourceVersion: '7', labels: { role: 'storage' } };

/** A Node as the API server sends it, with members that its class does not know. */
function received(spec: object, annotations: object = {}): Node {
  return {
    metadata: { ...metadata, annotations: { a: 'b', ...annotations } },
    spec,
    status: { images: [] },
  } as unknown as Node;
}

describe('trimNode', () => {
  it('keeps where the node runs, and all its taints in their order', () => {
    const taints = [
      {
        key: 'node.kubernetes.io/not-ready',
        effect: 'NoExecute',
        timeAdded: '2026-01-01T00:00:00Z',
      },
      { key: 'dedicated', effect: 'NoSchedule', value: 'storage' },
    ];
    const providerID = 'aws:///us-west-2a/i-0aaaaaaaaaaaaaaaa';
    expect(trimNode(received({ providerID, taints, podCIDR: '10.0.0.0/24' }))).to.deep.equal({
      metadata,
      spec: {
        providerID,
        taints: [
          { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' },
          { key: 'dedicated', effect: 'NoSchedule' },
        ],
      },
    });
  });

  it('keeps the number of reserved interfaces, and no other annotation', () => {
    const annotations = { 'networking.k8s.aws/reserved-interfaces': '3' };
    expect(trimNode(received({}, annotations))).to.deep.equal({
      metadata: { ...metadata, annotations },
    });
  });

  it('keeps the operator’s own condition, and no other', () => {
    const [own, other] = ['networking.k8s.aws/ENIsReady', 'Ready'].map((type) => ({
      type,
      status: 'True',
    }));
    const node = received({});
    node.status = { conditions: [other, own] } as never;
    expect(trimNode(node)).to.deep.equal({ metadata, status: { conditions: [own] } });
  });

  it('keeps nothing for what a node lacks', () => {
    expect(trimNode(received({ taints: [] }))).to.deep.equal({ metadata });
  });
});
