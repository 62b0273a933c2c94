import { expect } from 'chai';
import type { ENIAttachment } from '../../../../src/api/eni-attachment.js';
import { Node } from '../../../../src/api/node.js';
import type { NodeENI } from '../../../../src/api/node-eni.js';
import { NodeConditionReconciler } from '../../../../src/reconcilers/node-condition/node-condition-reconciler.js';
import { PlannedAttachments } from '../../../../src/reconcilers/node-eni/planned-attachments.js';
import { BlockedBackoff } from '../../../../src/reconcilers/shared/blocked.js';
import { IndexedStore } from '../../../../src/runtime/cache/store.js';
import { systemClock } from '../../../../src/runtime/clock.js';
import { ExponentialBackoff } from '../../../../src/runtime/concurrency/backoff.js';
import { passes } from '../../../../src/runtime/controller/predicates.js';
import { readReconciler } from '../../../../src/runtime/controller/read-reconciler.js';
import { apiErrorOf } from '../../../../src/runtime/kube/kube-errors.js';
import { ResourceClient } from '../../../../src/runtime/kube/resource-client.js';
import { aNode, aNodeENI, anENIAttachment, NOW } from '../../../support/objects.js';
import { RecordingLogger } from '../../../support/recording-logger.js';
import { stubbedKubeClient } from '../../runtime/support/stubbed-kube-client.js';

const TYPE = 'networking.k8s.aws/ENIsReady';
const READY = { phase: 'Ready', observedGeneration: 1 } as const;

/** A reconciler whose node-a has one ENI, ready, which was planned. */
function setUp() {
  const time = { now: NOW };
  const clock = { ...systemClock, now: () => time.now };
  const nodes = IndexedStore.create<Node>();
  const nodeENIs = IndexedStore.create<NodeENI>();
  const attachments = IndexedStore.create<ENIAttachment>({
    indexes: { instanceID: ({ spec }) => [spec.instanceID] },
  });
  const logger = new RecordingLogger();
  const plannedAttachments = new PlannedAttachments({ logger });
  const client = stubbedKubeClient();
  client.patch.resolves(aNode('node-a'));
  const events: string[] = [];
  const reconciler = new NodeConditionReconciler({
    nodes,
    nodeENIs,
    attachments,
    plannedAttachments,
    nodeClient: ResourceClient.create({ kind: Node, client }),
    events: { event: (_, { type, reason }) => events.push(`${type} ${reason}`) },
    blockedBackoff: new BlockedBackoff({
      backoff: ExponentialBackoff.create({ baseMs: 100, maxMs: 1_000 }),
      clock,
    }),
    clock,
  });
  nodes.put('node-a', aNode('node-a'));
  nodeENIs.put('storage', aNodeENI());
  attachments.put('x', anENIAttachment({ name: 'x', status: READY }));
  plannedAttachments.publish(aNodeENI(), new Map([['node-a', ['x']]]));
  const reconcile = (key = 'node-a') =>
    reconciler.reconcile(key, { logger, reconcileID: '1', signal: new AbortController().signal });
  /** The node with a condition. */
  const put = (status: 'True' | 'False', more: object = {}) => {
    const message = 'The ENIs of storage are ready.';
    const condition = {
      type: TYPE,
      status,
      reason: 'AllReady',
      message,
      lastTransitionTime: 'then',
      ...more,
    };
    nodes.put('node-a', { ...aNode('node-a'), status: { conditions: [condition] } });
  };
  return {
    time,
    nodes,
    nodeENIs,
    attachments,
    plannedAttachments,
    client,
    events,
    reconciler,
    reconcile,
    put,
  };
}

describe('NodeConditionReconciler', () => {
  it('applies the condition alone, to the node that it has read', async () => {
    const { client, reconcile } = setUp();
    expect(await reconcile()).to.deep.equal({});
    const [, name, patch, options] = client.patch.firstCall.args;
    expect(name).to.include({ name: 'node-a' });
    expect(options).to.deep.equal({ subresource: 'status' });
    const time = '2026-01-01T00:00:00Z';
    expect(patch).to.deep.equal({
      type: 'apply',
      fieldManager: 'eni-operator-node-condition',
      force: true,
      body: {
        metadata: { uid: 'uid-of-node-a' },
        status: {
          conditions: [
            {
              type: TYPE,
              status: 'True',
              reason: 'AllReady',
              message: 'The ENIs of storage are ready.',
              lastTransitionTime: time,
              lastHeartbeatTime: time,
            },
          ],
        },
      },
    });
  });

  it('writes nothing where nothing changes, and keeps the time of the last transition', async () => {
    const { client, reconcile, put } = setUp();
    put('True');
    await reconcile();
    expect(client.patch.callCount).to.equal(0);
    put('True', { message: 'another' });
    await reconcile();
    expect(client.patch.firstCall.args[2]).to.have.nested.property(
      'body.status.conditions[0].lastTransitionTime',
      'then',
    );
  });

  it('waits before it says that a ready node is in progress, and forgets it where it was a moment', async () => {
    const { time, attachments, client, reconcile, put } = setUp();
    put('True');
    attachments.put('x', anENIAttachment({ name: 'x', status: { phase: 'Attached' } }));
    expect(await reconcile()).to.deep.equal({ requeueAfter: 10_000 });
    time.now += 4_000;
    expect(await reconcile()).to.deep.equal({ requeueAfter: 6_000 });
    attachments.put('x', anENIAttachment({ name: 'x', status: READY }));
    expect(await reconcile()).to.deep.equal({});
    attachments.put('x', anENIAttachment({ name: 'x', status: { phase: 'Attached' } }));
    expect(await reconcile()).to.deep.equal({ requeueAfter: 10_000 });
    expect(client.patch.callCount).to.equal(0);
    time.now += 10_000;
    expect(await reconcile()).to.deep.equal({});
    expect(client.patch.firstCall.args[2]).to.have.nested.include({
      'body.status.conditions[0].reason': 'InProgress',
    });
  });

  it('removes the condition where no NodeENI selects the node', async () => {
    const { nodeENIs, client, reconcile, put } = setUp();
    put('True');
    nodeENIs.delete('storage');
    await reconcile();
    expect(client.patch.firstCall.args[2]).to.have.nested.property('body.status.conditions').that.is
      .empty;
  });

  it('says that the API server refuses the write, and tries again', async () => {
    const { client, events, reconcile } = setUp();
    client.patch.rejects(
      apiErrorOf(403, { reason: 'Forbidden', message: 'cannot patch nodes/status' }),
    );
    expect(await reconcile()).to.deep.equal({ requeueAfter: 100 });
    expect(await reconcile(), 'woken before').to.deep.equal({ requeueAfter: 100 });
    expect(events).to.deep.equal(['Warning WriteRefused']);
  });

  for (const [what, status, reason] of [
    ['is gone', 404, 'NotFound'],
    ['is another by now', 409, 'Conflict'],
  ] as const) {
    it(`leaves a node that ${what} to its own events`, async () => {
      const { client, events, reconcile } = setUp();
      client.patch.rejects(apiErrorOf(status, { reason }));
      expect([await reconcile(), events]).to.deep.equal([{}, []]);
    });
  }

  it('is woken for nodes that a NodeENI selects or that have the condition, by what can change it', () => {
    const { nodes, nodeENIs, reconciler, put } = setUp();
    const other = aNode('node-b', { labels: { role: 'other' } });
    nodes.put('node-b', other);
    expect(reconciler.mapNodeToItself(aNode('node-a'))).to.deep.equal(['node-a']);
    expect(reconciler.mapNodeToItself(other)).to.deep.equal([]);
    expect(reconciler.mapAttachmentToNode(anENIAttachment())).to.deep.equal(['node-a']);
    expect(reconciler.mapPlannedAttachmentsToNode({ node: 'node-b' })).to.deep.equal(['node-b']);
    const moved = aNodeENI({ nodeSelector: { role: 'other' } });
    expect(reconciler.mapNodeENIToNodes(moved)).to.deep.equal(['node-b']);
    expect(reconciler.mapNodeENIToNodes(moved, aNodeENI())).to.deep.equal(['node-a', 'node-b']);
    nodeENIs.delete('storage');
    put('True');
    const node = nodes.get('node-a') ?? expect.fail('none');
    expect(reconciler.mapNodeToItself(node), 'selected no longer').to.deep.equal(['node-a']);
  });

  it('is not woken by a heartbeat', () => {
    const { nodes, reconciler, put } = setUp();
    put('True');
    const node = nodes.get('node-a') ?? expect.fail('none');
    const watch = readReconciler(reconciler).watches.find(({ source }) => source === Node);
    const counts = (object: Node) =>
      passes(watch?.when ?? {}, { type: 'updated', object, old: node });
    expect(counts({ ...node, metadata: { ...node.metadata, resourceVersion: '2' } })).to.equal(
      false,
    );
    expect(counts({ ...node, status: {} }), 'removed by a user').to.equal(true);
    expect(counts({ ...node, metadata: { ...node.metadata, uid: '2' } })).to.equal(true);
  });
});
