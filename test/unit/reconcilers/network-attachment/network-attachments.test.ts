import { expect } from 'chai';
import sinon from 'sinon';
import { NETWORK_ATTACHMENT_FINALIZER } from '../../../../src/api/names.js';
import { NodeENI } from '../../../../src/api/node-eni.js';
import { DefinitionWriter } from '../../../../src/reconcilers/network-attachment/definition-writer.js';
import { NetworkAttachments } from '../../../../src/reconcilers/network-attachment/network-attachments.js';
import { BlockedBackoff } from '../../../../src/reconcilers/shared/blocked.js';
import { systemClock } from '../../../../src/runtime/clock.js';
import { ExponentialBackoff } from '../../../../src/runtime/concurrency/backoff.js';
import { ownerReferenceTo } from '../../../../src/runtime/kube/finalizers.js';
import { apiErrorOf, KubeUnreachableError } from '../../../../src/runtime/kube/kube-errors.js';
import { ResourceClient } from '../../../../src/runtime/kube/resource-client.js';
import { aNodeENI } from '../../../support/objects.js';
import { RecordingLogger } from '../../../support/recording-logger.js';
import { useFakeTime } from '../../runtime/support/fake-timers.js';
import { stubbedKubeClient } from '../../runtime/support/stubbed-kube-client.js';

const finalizers = [NETWORK_ATTACHMENT_FINALIZER];
const DESIRED = {
  interfaceName: 'eni-storage',
  networkAttachment: { namespaces: ['web'], type: 'ipvlan' as const },
};
const NOT_FOUND = apiErrorOf(404, { reason: 'NotFound', message: 'not found' });
const ALLOWING = {
  metadata: {
    ...{ name: 'web', uid: 'uid-of-web', resourceVersion: '1' },
    labels: { 'networking.k8s.aws/network-attachments': 'allowed' },
  },
};
const EXISTING = {
  metadata: { name: 'storage', namespace: 'web', uid: 'uid-of-web', resourceVersion: '1' },
};
/** As this operator made it. */
const OURS = {
  metadata: {
    ...EXISTING.metadata,
    ownerReferences: [ownerReferenceTo(aNodeENI(), NodeENI.resource)],
  },
};

function standing(status: 'True' | 'False', observedGeneration = 1) {
  const lastTransitionTime = '2026-01-01T00:00:00Z';
  return {
    conditions: [
      {
        type: 'NetworkAttachment',
        status,
        reason: 'R',
        message: '',
        observedGeneration,
        lastTransitionTime,
      },
    ],
  };
}

describe('NetworkAttachments', () => {
  const time = useFakeTime();
  const logger = new RecordingLogger();

  /** The step, and the API server as it answers where nothing is there yet. */
  function setUp() {
    const client = stubbedKubeClient();
    client.list.resolves({ items: [], resourceVersion: '1' });
    client.get.rejects(NOT_FOUND);
    client.get.withArgs(sinon.match({ kind: 'Namespace' })).resolves(ALLOWING);
    client.patch.callsFake(async (_resource, { name }) => aNodeENI(DESIRED, { name, finalizers }));
    client.delete.resolves(undefined);
    const backoff = ExponentialBackoff.create({ baseMs: 100, maxMs: 1_000 });
    const step = new NetworkAttachments({
      writer: new DefinitionWriter(client),
      nodeENIClient: ResourceClient.create({ kind: NodeENI, client }),
      blockedBackoff: new BlockedBackoff({ backoff, clock: systemClock }),
    });
    const reconcile = (nodeENI: NodeENI) => step.reconcile(nodeENI, logger);
    /** What was written, in order. */
    const writes = () => [
      ...client.patch.getCalls().map(({ args: [resource] }) => `patch ${resource.kind}`),
      ...client.delete.getCalls().map(({ args: [resource] }) => `delete ${resource.kind}`),
    ];
    const calls = () => client.list.callCount + client.get.callCount + writes().length;
    return { client, reconcile, writes, calls };
  }

  it('asks nothing for a NodeENI that wants none and has none', async () => {
    const { reconcile, calls } = setUp();
    expect((await reconcile(aNodeENI())).condition).to.equal(null);
    expect(calls()).to.equal(0);
  });

  it('remembers by a finalizer that there may be some, before it makes the first', async () => {
    const { reconcile, writes } = setUp();
    const { condition, nodeENI } = await reconcile(aNodeENI(DESIRED));
    expect(writes()).to.deep.equal(['patch NodeENI', 'patch NetworkAttachmentDefinition']);
    expect(condition).to.deep.include({ status: 'True', reason: 'Applied' });
    expect(nodeENI.metadata.finalizers).to.deep.equal(finalizers);
  });

  it('asks nothing once the generation has been applied', async () => {
    const { reconcile, calls } = setUp();
    const finding = await reconcile(aNodeENI(DESIRED, { finalizers }));
    expect(finding.condition).not.to.equal(undefined);
    const before = calls();
    const applied = { ...aNodeENI(DESIRED, { finalizers }), status: standing('True') };
    expect((await reconcile(applied)).condition).to.equal(undefined);
    expect(calls()).to.equal(before);
  });

  it('tries again what is blocked after growing waits, and not in passes between', async () => {
    const { client, reconcile } = setUp();
    client.list.rejects(NOT_FOUND);
    const first = await reconcile(aNodeENI(DESIRED, { finalizers }));
    expect(first.condition).to.deep.include({ status: 'False', reason: 'CRDMissing' });
    expect(first.requeueAfter).to.equal(100);
    const blocked = { ...aNodeENI(DESIRED, { finalizers }), status: standing('False') };
    await time.tick(60);
    expect(await reconcile(blocked)).to.deep.include({ condition: undefined, requeueAfter: 40 });
    expect(client.list.callCount).to.equal(1);
    await time.tick(40);
    expect((await reconcile(blocked)).requeueAfter).to.equal(200);
    expect(client.list.callCount).to.equal(2);
  });

  it('tries at once what another generation says', async () => {
    const { client, reconcile } = setUp();
    client.list.rejects(NOT_FOUND);
    await reconcile(aNodeENI(DESIRED, { finalizers }));
    const changed = aNodeENI(DESIRED, { finalizers, generation: 2 });
    await reconcile({ ...changed, status: standing('False', 1) });
    expect(client.list.callCount).to.equal(2);
  });

  it('never writes over what another program has made of that name', async () => {
    const { client, reconcile, writes } = setUp();
    client.get.resolves(EXISTING);
    const { condition } = await reconcile(aNodeENI(DESIRED, { finalizers }));
    expect(condition).to.deep.include({ status: 'False', reason: 'Conflict' });
    expect(writes()).to.deep.equal([]);
  });

  const refusals: [string, number, string, string][] = [
    ['another client creates the definition at the same moment', 409, 'Conflict', 'Conflict'],
    ['the namespace is missing', 404, 'NotFound', 'NamespaceMissing'],
    ['the namespace is being deleted', 403, 'Forbidden', 'Refused'],
  ];
  for (const [circumstance, status, reason, reported] of refusals) {
    it(`reports ${reported} where ${circumstance}`, async () => {
      const { client, reconcile } = setUp();
      client.patch.rejects(apiErrorOf(status, { reason, message: 'no' }));
      const { condition } = await reconcile(aNodeENI(DESIRED, { finalizers }));
      expect(condition).to.deep.include({ status: 'False', reason: reported });
      const applied = client.patch.firstCall.args[2];
      expect(applied).to.deep.include({
        type: 'apply',
        force: false,
        fieldManager: 'eni-operator',
      });
    });
  }

  it('reports a conflict for a copy that has the same labels in one of the namespaces', async () => {
    const { client, reconcile, writes } = setUp();
    client.list.resolves({ items: [EXISTING], resourceVersion: '1' });
    client.get.resolves(EXISTING);
    const { condition } = await reconcile(aNodeENI(DESIRED, { finalizers }));
    expect(condition).to.deep.include({ status: 'False', reason: 'Conflict' });
    expect(writes()).to.deep.equal([]);
  });

  it('applies the definition in all namespaces before it reports one that failed', async () => {
    const { client, reconcile } = setUp();
    const both = { ...DESIRED.networkAttachment, namespaces: ['web', 'db'] };
    const late = Promise.withResolvers<NodeENI>();
    client.patch.onFirstCall().rejects(apiErrorOf(503, {}));
    client.patch.onSecondCall().returns(late.promise);
    let ended = false;
    const pass = reconcile(
      aNodeENI({ ...DESIRED, networkAttachment: both }, { finalizers }),
    ).finally(() => {
      ended = true;
    });
    await time.tick(1_000);
    expect(ended, 'while a write is under way').to.equal(false);
    late.resolve(aNodeENI());
    expect((await pass).condition?.message).to.contain('1 of 2 namespaces have');
  });

  it('says which component is missing where it may not list definitions', async () => {
    const { client, reconcile } = setUp();
    client.list.rejects(apiErrorOf(403, { reason: 'Forbidden', message: 'cannot list' }));
    const { condition } = await reconcile(aNodeENI(DESIRED, { finalizers }));
    expect(condition).to.deep.include({ status: 'False', reason: 'ComponentMissing' });
    expect(condition?.message).to.contain('Deploy the component multus');
  });

  const failures: [string, Error][] = [
    ['is overloaded', apiErrorOf(429, { message: 'the reason' })],
    ['cannot reach a webhook', apiErrorOf(500, { message: 'the reason' })],
    ['is broken', apiErrorOf(503, { message: 'the reason' })],
    ['does not answer', new KubeUnreachableError('the reason')],
  ];
  for (const [circumstance, failure] of failures) {
    const refused = { status: 'False', reason: 'Refused' };

    it(`reports and retries where the API server ${circumstance} on creation`, async () => {
      const { client, reconcile } = setUp();
      client.patch.rejects(failure);
      const { condition, requeueAfter } = await reconcile(aNodeENI(DESIRED, { finalizers }));
      expect(condition).to.deep.include(refused);
      expect(condition?.message).to.contain('the reason. ');
      expect(requeueAfter).to.equal(100);
    });

    it(`reports and retries where the API server ${circumstance} on listing`, async () => {
      const { client, reconcile } = setUp();
      client.list.rejects(failure);
      const { condition, requeueAfter } = await reconcile(aNodeENI(DESIRED, { finalizers }));
      expect(condition).to.deep.include(refused);
      expect(condition?.message).to.contain('the reason. ');
      expect(requeueAfter).to.equal(100);
    });

    it(`loses no deletion where the API server ${circumstance}`, async () => {
      const { client, reconcile, writes } = setUp();
      client.list.resolves({ items: [OURS], resourceVersion: '1' });
      client.delete.onFirstCall().rejects(failure);
      const deleted = aNodeENI(DESIRED, { finalizers, deletionTimestamp: 'now' });
      const { condition, requeueAfter, nodeENI } = await reconcile(deleted);
      expect(condition).to.deep.include(refused);
      expect(nodeENI.metadata.finalizers).to.deep.equal(finalizers);
      await time.tick(requeueAfter ?? 0);
      await reconcile({ ...deleted, status: standing('False') });
      const once = 'delete NetworkAttachmentDefinition';
      expect(writes()).to.deep.equal(['patch NodeENI', once, once]);
    });
  }

  it('reports and retries where the definition to update has been replaced meanwhile', async () => {
    const { client, reconcile } = setUp();
    client.list.resolves({ items: [OURS], resourceVersion: '1' });
    client.patch.rejects(apiErrorOf(409, { reason: 'Conflict', message: 'uid mismatch' }));
    const { condition, requeueAfter } = await reconcile(aNodeENI(DESIRED, { finalizers }));
    expect(condition).to.deep.include({ status: 'False', reason: 'Refused' });
    expect(requeueAfter).to.equal(100);
  });

  it('does not report a defect of its own as a refusal', async () => {
    const { client, reconcile } = setUp();
    const defect = new TypeError('undefined is not a function');
    client.patch.rejects(defect);
    const thrown = await reconcile(aNodeENI(DESIRED, { finalizers })).catch((error) => error);
    expect(thrown).to.equal(defect);
  });

  for (const [why, nodeENI] of [
    ['is being deleted', aNodeENI(DESIRED, { finalizers, deletionTimestamp: 'now' })],
    ['wants them no longer', aNodeENI({}, { finalizers })],
  ] as const) {
    it(`deletes them, and only then forgets them, where the NodeENI ${why}`, async () => {
      const { client, reconcile } = setUp();
      client.list.resolves({ items: [OURS], resourceVersion: '1' });
      const { condition } = await reconcile(nodeENI);
      expect(condition).to.equal(null);
      expect(client.delete.firstCall.args[2]).to.deep.equal({
        preconditions: { uid: 'uid-of-web' },
      });
      sinon.assert.callOrder(client.delete, client.patch);
      expect(client.patch.firstCall.args[2].body).to.deep.nested.include({
        'metadata.finalizers': [],
      });
    });

    it(`keeps its finalizer while one cannot be deleted, where the NodeENI ${why}`, async () => {
      const { client, reconcile, writes } = setUp();
      client.list.resolves({ items: [OURS], resourceVersion: '1' });
      client.delete.rejects(apiErrorOf(403, { reason: 'Forbidden', message: 'no' }));
      const { condition, requeueAfter } = await reconcile(nodeENI);
      expect(condition).to.deep.include({ status: 'False', reason: 'Refused' });
      expect(requeueAfter).to.equal(100);
      expect(writes()).to.deep.equal(['delete NetworkAttachmentDefinition']);
    });

    it(`needs no CRD to forget them, where the NodeENI ${why}`, async () => {
      const { client, reconcile, writes } = setUp();
      client.list.rejects(NOT_FOUND);
      expect((await reconcile(nodeENI)).condition).to.equal(null);
      expect(writes()).to.deep.equal(['patch NodeENI']);
    });
  }

  it('leaves a copy that carries our labels where the NodeENI is being deleted', async () => {
    const { client, reconcile, writes } = setUp();
    client.list.resolves({ items: [EXISTING], resourceVersion: '1' });
    await reconcile(aNodeENI(DESIRED, { finalizers, deletionTimestamp: 'now' }));
    expect(writes()).to.deep.equal(['patch NodeENI']);
  });
});
