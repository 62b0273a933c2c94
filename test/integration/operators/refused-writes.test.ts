import { expect } from 'chai';
import { ENIAttachment, type ENIAttachmentSpec } from '../../../src/api/eni-attachment.js';
import { DEFAULT_STARTUP_TAINT } from '../../../src/api/names.js';
import { Node, taintName } from '../../../src/api/node.js';
import { NodeENI } from '../../../src/api/node-eni.js';
import { isAlreadyExists, KubeApiError } from '../../../src/runtime/kube/kube-errors.js';
import type { KubeObject, ResourceType } from '../../../src/runtime/kube/resource.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { ignoringNotFound } from '../../../tools/stage/ignoring-not-found.js';
import { eventually } from '../../support/eventually.js';
import { Stage } from '../../support/stage.js';

const POLICIES: ResourceType = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  plural: 'validatingadmissionpolicies',
  kind: 'ValidatingAdmissionPolicy',
  namespaced: false,
};
const BINDINGS: ResourceType = {
  ...POLICIES,
  plural: 'validatingadmissionpolicybindings',
  kind: 'ValidatingAdmissionPolicyBinding',
};
const POLICY = 'refused-writes';
const SENTENCE = 'the security team has closed node refused-c';
const LABELS = { refused: 'true' };
const [OPEN, CLOSED] = ['refused-a', 'refused-c'];

/** A write that the policy refuses, to see when the API server enforces it. */
type Probe = () => Promise<unknown>;

describe('a write that an admission policy refuses', () => {
  let stage: Stage;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    stage = await Stage.open();
    stage.start();
  });

  beforeEach(async () => {
    for (const name of [OPEN, 'refused-b', CLOSED]) await stage.addNode(name, { labels: LABELS });
  });

  afterEach(async () => {
    await lift();
    await stage.clear();
  });

  after(() => stage.close());

  /** Resolves once the API server enforces the policy. */
  async function refuse(
    { resource }: { resource: ResourceType },
    {
      operation,
      subresource = '',
      unless,
      probe,
    }: { operation: string; subresource?: '' | '/status'; unless: string; probe: Probe },
  ): Promise<void> {
    await stage.kube.create<KubeObject & { spec: object }>(POLICIES, {
      metadata: { name: POLICY },
      spec: {
        matchConstraints: {
          resourceRules: [
            {
              apiGroups: [resource.group],
              apiVersions: [resource.version],
              operations: [operation],
              resources: [resource.plural + subresource],
            },
          ],
        },
        validations: [{ expression: unless, message: SENTENCE }],
      },
    });
    await stage.kube.create<KubeObject & { spec: object }>(BINDINGS, {
      metadata: { name: POLICY },
      spec: { policyName: POLICY, validationActions: ['Deny'] },
    });
    await eventually(async () => {
      const refusal: unknown = await probe().catch((error: unknown) => error);
      expect(refusal)
        .to.be.instanceOf(KubeApiError)
        .and.have.property('message')
        .that.includes(SENTENCE);
    });
  }

  /** Deletes the policy. The API server may enforce it for a moment longer. */
  async function lift(): Promise<void> {
    for (const kind of [BINDINGS, POLICIES]) {
      await ignoringNotFound(stage.kube.delete(kind, { name: POLICY }));
    }
  }

  const messageOf = ({ status }: NodeENI) =>
    status?.conditions?.find(({ type }) => type === 'Degraded')?.message;

  const PROBE = { name: 'refused-probe' };

  /** Creates an attachment on the closed node, of a NodeENI that does not exist. */
  async function createProbe(): Promise<void> {
    await stage.kube.create<KubeObject & { spec: ENIAttachmentSpec }>(ENIAttachment.resource, {
      metadata: PROBE,
      spec: {
        nodeENI: PROBE.name,
        nodeName: CLOSED,
        instanceID: 'i-0dead00000000beef',
        deviceIndex: 9,
        networkCardIndex: 0,
        subnetID: 'subnet-0dead00000000beef',
        securityGroupIDs: ['sg-0dead00000000beef'],
        deleteOnTermination: true,
      },
    });
  }

  async function probeCreation(): Promise<void> {
    await createProbe();
    await ignoringNotFound(stage.kube.delete(ENIAttachment.resource, PROBE));
  }

  /** The controller deletes the probe as well, as one that no NodeENI owns. */
  async function probeDeletion(): Promise<void> {
    await createProbe().catch((error) => expect(isAlreadyExists(error), error).to.equal(true));
    await stage.kube.delete(ENIAttachment.resource, PROBE);
  }

  async function probeFinalizer(): Promise<void> {
    for (const finalizers of [null, ['example.com/probe']]) {
      const body = { metadata: { finalizers } };
      await stage.kube.patch(NodeENI.resource, PROBE, { type: 'merge', body });
    }
  }

  it('blocks the node that it concerns, and no other; and is retried once it is allowed', async () => {
    await refuse(ENIAttachment, {
      operation: 'CREATE',
      unless: `object.spec.nodeName != '${CLOSED}'`,
      probe: probeCreation,
    });
    await addStartupTaint(OPEN);
    const { metadata } = await stage.createNodeENI('refused');

    const nodeENI = await stage.degraded('refused', 'WriteRefused');
    expect(messageOf(nodeENI)).to.include(SENTENCE);
    expect(messageOf(nodeENI)).to.match(/^1 of 3 nodes lack ENIs \(refused-c\)\./);
    await eventually(async () => {
      expect((await stage.nodeENI('refused')).status).to.include({ desired: 3, ready: 2 });
      const { spec } = await stage.kube.get<Node>(Node.resource, { name: OPEN });
      expect((spec?.taints ?? []).map(taintName)).not.to.include(DEFAULT_STARTUP_TAINT);
    });
    await eventually(async () => {
      const events = (await stage.events('refused')).filter(
        ({ regarding, reason }) => regarding.uid === metadata.uid && reason === 'WriteRefused',
      );
      expect(events).to.have.length(1);
    });

    await lift();
    await stage.ready('refused', 3);
  });

  it('keeps an ENI whose deletion is refused, says so, and removes the others', async () => {
    await stage.createNodeENI('refused');
    await stage.ready('refused', 3);
    await refuse(ENIAttachment, {
      operation: 'DELETE',
      unless: `oldObject.spec.nodeName != '${CLOSED}'`,
      probe: probeDeletion,
    });
    await stage.deleteNodeENI('refused');
    const nodeENI = await stage.degraded('refused', 'WriteRefused');
    expect(messageOf(nodeENI)).to.include(SENTENCE);
    await eventually(() => expect(stage.managedEnis()).to.have.length(1));

    await lift();
    await eventually(() => expect(stage.managedEnis()).to.deep.equal([]));
    await eventually(async () => {
      expect(await ignoringNotFound(stage.nodeENI('refused'))).to.equal(undefined);
    });
  });

  it('creates no ENI while the NodeENI cannot get its finalizer', async () => {
    await stage.createNodeENI(PROBE.name);
    await refuse(NodeENI, {
      operation: 'UPDATE',
      unless: '!has(object.metadata.finalizers) || size(object.metadata.finalizers) == 0',
      probe: probeFinalizer,
    });
    await stage.createNodeENI('refused');
    const nodeENI = await stage.degraded('refused', 'WriteRefused');
    expect(messageOf(nodeENI)).to.include(SENTENCE);
    expect(await stage.listAttachments('refused')).to.deep.equal([]);

    await lift();
    await stage.ready('refused', 3);
  });

  async function probeStatus(): Promise<void> {
    await createProbe().catch((error) => expect(isAlreadyExists(error), error).to.equal(true));
    const body = { status: { attachmentID: 'eni-attach-00000000000000001' } };
    const patch = { type: 'merge', body } as const;
    await stage.kube.patch(ENIAttachment.resource, PROBE, patch, { subresource: 'status' });
  }

  it('says in an Event what the status of an attachment cannot say, and goes on once that is allowed', async () => {
    await refuse(ENIAttachment, {
      operation: 'UPDATE',
      subresource: '/status',
      unless: `object.spec.nodeName != '${CLOSED}'`,
      probe: probeStatus,
    });
    await ignoringNotFound(stage.kube.delete(ENIAttachment.resource, PROBE));
    await stage.createNodeENI('refused');
    await eventually(async () => {
      expect((await stage.nodeENI('refused')).status).to.include({ desired: 3, ready: 2 });
    });
    const attachments = await stage.listAttachments('refused');
    const closed = attachments.find(({ spec }) => spec.nodeName === CLOSED);
    await eventually(async () => {
      const events = await stage.events(closed?.metadata.name ?? '');
      expect(events.map(({ reason }) => reason)).to.deep.equal(['WriteRefused']);
      expect(events[0]?.note).to.include(SENTENCE);
    });
    // No status has to be written before the calls to EC2.
    expect(stage.managedEnis()).to.have.length(3);

    await lift();
    await stage.ready('refused', 3);
    expect(stage.managedEnis()).to.have.length(3);
  });

  it('of a NodeENI’s own status keeps no node waiting', async () => {
    await stage.createNodeENI(PROBE.name);
    await refuse(NodeENI, {
      operation: 'UPDATE',
      subresource: '/status',
      unless: 'false',
      probe: async () => {
        const patch = { type: 'merge', body: { status: { nodes: 99 } } } as const;
        await stage.kube.patch(NodeENI.resource, PROBE, patch, { subresource: 'status' });
      },
    });
    await stage.createNodeENI('refused');
    await eventually(async () => {
      const attachments = await stage.listAttachments('refused');
      expect(attachments.map(({ status }) => status?.phase)).to.deep.equal([
        'Ready',
        'Ready',
        'Ready',
      ]);
      const events = await stage.events('refused');
      expect(events.map(({ reason }) => reason)).to.include('WriteRefused');
    });

    await lift();
    await stage.ready('refused', 3);
  });

  async function addStartupTaint(name: string): Promise<void> {
    const [key, effect] = DEFAULT_STARTUP_TAINT.split(':');
    const body = { spec: { taints: [{ key, effect }] } };
    await stage.kube.patch(Node.resource, { name }, { type: 'merge', body });
  }
});
