import { expect } from 'chai';
import { Node, type Taint, taintName } from '../../../../src/api/node.js';
import type { NodeENI } from '../../../../src/api/node-eni.js';
import { PlannedAttachments } from '../../../../src/reconcilers/node-eni/planned-attachments.js';
import { BlockedTimes } from '../../../../src/reconcilers/node-readiness/blocked-times.js';
import { NodeReadinessReconciler } from '../../../../src/reconcilers/node-readiness/node-readiness-reconciler.js';
import { BlockedBackoff } from '../../../../src/reconcilers/shared/blocked.js';
import { IndexedStore } from '../../../../src/runtime/cache/store.js';
import { systemClock } from '../../../../src/runtime/clock.js';
import { ExponentialBackoff } from '../../../../src/runtime/concurrency/backoff.js';
import { passes } from '../../../../src/runtime/controller/predicates.js';
import { readReconciler } from '../../../../src/runtime/controller/read-reconciler.js';
import { apiErrorOf } from '../../../../src/runtime/kube/kube-errors.js';
import { ResourceClient } from '../../../../src/runtime/kube/resource-client.js';
import { aNode, aNodeENI, anENIAttachment } from '../../../support/objects.js';
import { RecordingLogger } from '../../../support/recording-logger.js';
import { stubbedKubeClient } from '../../runtime/support/stubbed-kube-client.js';

const OURS: Taint = { key: 'networking.k8s.aws/eni-not-ready', effect: 'NoSchedule' };
const OTHER: Taint = { key: 'dedicated', effect: 'NoSchedule' };
const REFUSED = apiErrorOf(422, { reason: 'Invalid', message: 'the request is in error' });

function tainted(name: string, ...taints: Taint[]): Node {
  const node = aNode(name);
  return { ...node, spec: { ...node.spec, taints } };
}

/** A reconciler whose node-a has the startup taint and its one ENI, ready. */
function setUp({ now = (): number => 0 } = {}) {
  const nodes = IndexedStore.create<Node>({
    indexes: { taint: ({ spec }) => spec?.taints?.map(taintName) ?? [] },
  });
  const nodeENIs = IndexedStore.create<NodeENI>();
  const attachments = IndexedStore.create<ReturnType<typeof anENIAttachment>>();
  const plannedAttachments = new PlannedAttachments({ logger: new RecordingLogger() });
  const client = stubbedKubeClient();
  const events: string[] = [];
  const logger = new RecordingLogger();
  const reconciler = new NodeReadinessReconciler({
    nodes,
    nodeENIs,
    attachments,
    plannedAttachments,
    nodeClient: ResourceClient.create({ kind: Node, client }),
    events: { event: (_, { type, reason }) => events.push(`${type} ${reason}`) },
    blockedBackoff: new BlockedBackoff({
      backoff: ExponentialBackoff.create({ baseMs: 100, maxMs: 1_000 }),
      clock: { ...systemClock, now },
    }),
    blockedTimes: new BlockedTimes({ clock: { ...systemClock, now }, limitMs: 600_000 }),
  });
  nodes.put('node-a', tainted('node-a', OURS));
  nodes.put('node-b', aNode('node-b'));
  nodeENIs.put('storage', aNodeENI());
  attachments.put(
    'x',
    anENIAttachment({ name: 'x', status: { phase: 'Ready', observedGeneration: 1 } }),
  );
  plannedAttachments.publish(aNodeENI(), new Map([['node-a', ['x']]]));
  client.patch.resolves(aNode('node-a'));
  const reconcile = (key = 'node-a') =>
    reconciler.reconcile(key, { logger, reconcileID: '1', signal: new AbortController().signal });
  return { nodes, nodeENIs, attachments, client, events, logger, reconciler, reconcile };
}

describe('NodeReadinessReconciler', () => {
  it('takes the taint off a node that has its ENIs, and says so', async () => {
    const { client, events, logger, reconcile } = setUp();
    await reconcile();
    expect(client.patch.firstCall.args[2]).to.deep.include({ type: 'json' });
    expect(events).to.deep.equal(['Normal ENIsReady']);
    expect(logger.messages('info')).to.deep.equal(['Startup taint removed']);
  });

  it('writes nothing while an ENI is on its way', async () => {
    const { client, events, attachments, reconcile } = setUp();
    attachments.put('x', anENIAttachment({ name: 'x', status: { phase: 'Attached' } }));
    await reconcile();
    expect([client.patch.callCount, events]).to.deep.equal([0, []]);
  });

  it('waits for the next event where the node’s taints have changed meanwhile', async () => {
    const { client, events, reconcile } = setUp();
    client.patch.rejects(REFUSED);
    client.get.resolves(tainted('node-a', OTHER, OURS));
    expect(await reconcile()).to.deep.equal({});
    expect(events).to.deep.equal([]);
  });

  it('says that the API server refuses the removal, and tries again', async () => {
    const { client, events, reconcile } = setUp();
    client.patch.rejects(REFUSED);
    client.get.resolves(tainted('node-a', OURS));
    expect(await reconcile()).to.deep.equal({ requeueAfter: 100 });
    expect(await reconcile(), 'woken before').to.deep.equal({ requeueAfter: 100 });
    expect(events).to.deep.equal(['Warning WriteRefused']);
  });

  it('waits for a NodeENI that is blocked for as long as the setting says, and then says so', async () => {
    let now = 0;
    const { nodeENIs, client, events, reconcile } = setUp({ now: () => now });
    nodeENIs.put('backup', aNodeENI({}, { name: 'backup', uid: '2' }));
    expect(await reconcile()).to.deep.equal({ requeueAfter: 600_000 });
    now = 599_000;
    expect(await reconcile()).to.deep.equal({ requeueAfter: 1_000 });
    expect(client.patch.callCount).to.equal(0);
    now = 600_000;
    expect(await reconcile()).to.deep.equal({});
    expect(client.patch.callCount).to.equal(1);
    expect(events).to.deep.equal(['Normal ENIsReady', 'Warning StartupTaintTimeout']);
  });

  it('lets go of a node that is gone meanwhile', async () => {
    const { client, events, reconcile } = setUp();
    client.patch.rejects(apiErrorOf(404, { reason: 'NotFound' }));
    expect(await reconcile()).to.deep.equal({});
    expect(events).to.deep.equal([]);
  });

  it('reports once a node that no NodeENI selects, and again once that has changed and come back', async () => {
    const { nodeENIs, client, events, reconciler, reconcile } = setUp();
    nodeENIs.delete('storage');
    await reconcile();
    await reconcile();
    expect(events).to.deep.equal(['Warning NoNodeENI']);
    expect(client.patch.callCount).to.equal(0);
    expect(reconciler.mapNodeToItself(aNode('node-a')), 'once it has no taint').to.deep.equal([
      'node-a',
    ]);

    nodeENIs.put('storage', aNodeENI({}, { generation: 2 }));
    await reconcile();
    nodeENIs.delete('storage');
    await reconcile();
    expect(events).to.deep.equal(['Warning NoNodeENI', 'Warning NoNodeENI']);
  });

  it('is woken by a node created again under its name, though nothing else of it differs', () => {
    const { reconciler } = setUp();
    const watch = readReconciler(reconciler).watches.find(({ source }) => source === Node);
    const counts = (object: Node, old: Node) =>
      passes(watch?.when ?? {}, { type: 'updated', object, old });
    const node = tainted('node-a', OURS);
    const recreated = { ...node, metadata: { ...node.metadata, uid: 'another' } };
    expect(counts(recreated, node), 'recreated').to.equal(true);
    const beat = { ...node, metadata: { ...node.metadata, resourceVersion: '2' } };
    expect(counts(beat, node), 'a heartbeat').to.equal(false);
  });

  it('is woken for nodes with a startup taint alone', () => {
    const { reconciler } = setUp();
    expect(reconciler.mapNodeToItself(tainted('node-c', OTHER, OURS))).to.deep.equal(['node-c']);
    expect(reconciler.mapNodeToItself(tainted('node-c', OTHER))).to.deep.equal([]);
    expect(reconciler.mapAttachmentToNode(anENIAttachment())).to.deep.equal(['node-a']);
    expect(
      reconciler.mapAttachmentToNode(anENIAttachment({ spec: { nodeName: 'node-b' } })),
    ).to.deep.equal([]);
    expect(reconciler.mapPlannedAttachmentsToNode({ node: 'node-b' })).to.deep.equal([]);
    expect(reconciler.mapNodeENIToWaitingNodes(aNodeENI())).to.deep.equal(['node-a']);
  });

  it('knows the taint of a NodeENI that is gone by its last event', () => {
    const { nodes, reconciler } = setUp();
    nodes.put('node-b', tainted('node-b', OTHER));
    const gone = aNodeENI({ startupTaint: taintName(OTHER) });
    expect(reconciler.mapNodeENIToWaitingNodes(gone)).to.have.members(['node-a', 'node-b']);
  });
});
