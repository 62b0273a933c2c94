import { expect } from 'chai';
import { Namespace } from '../../../src/api/namespace.js';
import { NetworkAttachmentDefinition } from '../../../src/api/network-attachment-definition.js';
import type { NetworkAttachment, NodeENI } from '../../../src/api/node-eni.js';
import { isNotFound } from '../../../src/runtime/kube/kube-errors.js';
import type { KubeObject, ResourceType } from '../../../src/runtime/kube/resource.js';
import {
  CONTROL_PLANE_TIMEOUT_MS,
  sharedControlPlane,
} from '../../../tools/envtest/shared-control-plane.js';
import { MULTUS_CRDS } from '../../../tools/stage/host/pod-runtime.js';
import { eventually } from '../../support/eventually.js';
import { Stage } from '../../support/stage.js';

const { resource } = NetworkAttachmentDefinition;
const CRDS: ResourceType = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};
const WEBHOOKS: ResourceType = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  plural: 'validatingwebhookconfigurations',
  kind: 'ValidatingWebhookConfiguration',
  namespaced: false,
};
/** Labels of a namespace that opts in. */
const ALLOWED = { 'networking.k8s.aws/network-attachments': 'allowed' };

describe('the NetworkAttachmentDefinitions of a NodeENI', () => {
  let stage: Stage;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    stage = await Stage.open();
    for (const name of ['pods-a', 'pods-b']) {
      await stage.kube.create<KubeObject>(Namespace.resource, {
        metadata: { name, labels: ALLOWED },
      });
    }
    stage.start();
  });

  afterEach(() => stage.clear());

  after(async () => {
    try {
      await stage.kube.delete(CRDS, { name: 'network-attachment-definitions.k8s.cni.cncf.io' });
    } finally {
      await stage.close();
    }
  });

  const create = (name: string, overrides: Partial<NetworkAttachment> = {}) =>
    stage.createNodeENI(name, {
      interfaceName: 'eni-pods',
      mtu: 1400,
      networkAttachment: { namespaces: ['pods-a', 'pods-b'], type: 'ipvlan', ...overrides },
    });

  const conditionOf = ({ status }: NodeENI) =>
    status?.conditions?.find(({ type }) => type === 'NetworkAttachment');

  /** Resolves once the condition has that reason, for the NodeENI's present generation. */
  const reported = (name: string, reason: string) =>
    eventually(async () => {
      const nodeENI = await stage.nodeENI(name);
      expect(conditionOf(nodeENI)).to.deep.include({
        reason,
        status: reason === 'Applied' ? 'True' : 'False',
        observedGeneration: nodeENI.metadata.generation,
      });
      return conditionOf(nodeENI);
    });

  /** The definition in that namespace, if there is one. */
  async function find(namespace: string, name: string) {
    try {
      return await stage.kube.get<NetworkAttachmentDefinition>(resource, { namespace, name });
    } catch (error) {
      if (isNotFound(error)) {
        return undefined;
      }
      throw error;
    }
  }

  const configIn = async (namespace: string, name: string) =>
    JSON.parse((await find(namespace, name))?.spec?.config ?? 'null');

  it('wait for the CRD, and are created once Multus is there', async () => {
    await create('nad-late');
    const condition = await reported('nad-late', 'CRDMissing');
    expect(condition?.message).to.contain('Install Multus');
    await (await sharedControlPlane()).applyCrds(MULTUS_CRDS);
    await reported('nad-late', 'Applied');
    expect(await configIn('pods-a', 'nad-late')).to.deep.equal({
      cniVersion: '0.3.1',
      name: 'nad-late',
      type: 'ipvlan',
      master: 'eni-pods',
      mtu: 1400,
    });
  });

  it('are made without any node, labelled, and owned by the NodeENI', async () => {
    const nodeENI = await create('nad-owned');
    await reported('nad-owned', 'Applied');
    const { labels, ownerReferences } = (await find('pods-b', 'nad-owned'))?.metadata ?? {};
    expect(labels).to.deep.equal({
      'app.kubernetes.io/managed-by': 'eni-operator',
      'networking.k8s.aws/node-eni': 'nad-owned',
    });
    expect(ownerReferences?.map(({ uid }) => uid)).to.deep.equal([nodeENI.metadata.uid]);
  });

  it('follow a change, and leave the namespaces that are no longer named', async () => {
    await create('nad-change');
    await reported('nad-change', 'Applied');
    const ipam = { type: 'host-local', subnet: '10.0.64.0/19' };
    await stage.patchNodeENI('nad-change', {
      networkAttachment: { namespaces: ['pods-b'], type: 'host-device', ipam },
    });
    await reported('nad-change', 'Applied');
    expect(await configIn('pods-b', 'nad-change')).to.deep.equal({
      cniVersion: '0.3.1',
      name: 'nad-change',
      type: 'host-device',
      device: 'eni-pods',
      ipam,
    });
    expect(await find('pods-a', 'nad-change')).to.equal(undefined);
  });

  it('are deleted with spec.networkAttachment, and with the NodeENI', async () => {
    await create('nad-wish');
    await create('nad-end');
    await reported('nad-wish', 'Applied');
    await reported('nad-end', 'Applied');
    await stage.patchNodeENI('nad-wish', { networkAttachment: null });
    await stage.deleteNodeENI('nad-end');
    await stage.gone('nad-end');
    expect(await find('pods-a', 'nad-end')).to.equal(undefined);
    await eventually(async () => {
      const nodeENI = await stage.nodeENI('nad-wish');
      expect(conditionOf(nodeENI)).to.equal(undefined);
      expect(nodeENI.metadata.finalizers ?? []).to.deep.equal([]);
    });
    expect(await find('pods-b', 'nad-wish')).to.equal(undefined);
  });

  it('serve the other namespaces while one is missing or does not allow them, and that one once it does', async () => {
    await create('nad-missing', { namespaces: ['pods-a', 'pods-later'] });
    const condition = await reported('nad-missing', 'NamespaceMissing');
    expect(condition?.message).to.contain('no namespace pods-later');
    expect(await configIn('pods-a', 'nad-missing')).to.include({ type: 'ipvlan' });
    await stage.kube.create<KubeObject>(Namespace.resource, { metadata: { name: 'pods-later' } });
    const closed = await reported('nad-missing', 'NamespaceNotAllowed');
    expect(closed?.message).to.contain('pods-later').and.contain('kubectl label namespace');
    expect(await find('pods-later', 'nad-missing')).to.equal(undefined);
    const body = { metadata: { labels: ALLOWED } };
    await stage.kube.patch(Namespace.resource, { name: 'pods-later' }, { type: 'merge', body });
    await reported('nad-missing', 'Applied');
    expect(await configIn('pods-later', 'nad-missing')).to.include({ type: 'ipvlan' });
  });

  it('never replace a definition that another client created', async () => {
    const theirs = await stage.kube.create<NetworkAttachmentDefinition>(resource, {
      metadata: { name: 'nad-taken', namespace: 'pods-a' },
      spec: { config: '{"type":"bridge"}' },
    } as NetworkAttachmentDefinition);
    await create('nad-taken');
    const condition = await reported('nad-taken', 'Conflict');
    expect(condition?.message).to.contain('pods-a');
    expect(await configIn('pods-b', 'nad-taken')).to.include({ type: 'ipvlan' });
    await stage.deleteNodeENI('nad-taken');
    await stage.gone('nad-taken');
    expect(await find('pods-a', 'nad-taken')).to.deep.equal(theirs);
    await stage.kube.delete(resource, theirs.metadata);
  });

  it('are distinguished from copies that have their labels', async () => {
    await create('nad-copied', { namespaces: ['pods-a'] });
    await reported('nad-copied', 'Applied');
    const { labels } = (await find('pods-a', 'nad-copied'))?.metadata ?? {};
    const copies = await Promise.all(
      [
        { name: 'nad-copied', namespace: 'pods-b' },
        { name: 'nad-of-a-team', namespace: 'pods-a' },
      ].map((name) =>
        stage.kube.create<NetworkAttachmentDefinition>(resource, {
          metadata: { ...name, labels },
          spec: { config: '{"type":"bridge"}' },
        } as NetworkAttachmentDefinition),
      ),
    );
    const left = () =>
      Promise.all(copies.map(({ metadata }) => find(metadata.namespace, metadata.name)));
    await stage.patchNodeENI('nad-copied', { mtu: 1300 });
    await reported('nad-copied', 'Applied');
    expect(await configIn('pods-a', 'nad-copied')).to.include({ mtu: 1300 });
    expect(await left()).to.deep.equal(copies);

    await stage.patchNodeENI('nad-copied', {
      networkAttachment: { namespaces: ['pods-a', 'pods-b'], type: 'ipvlan' },
    });
    await reported('nad-copied', 'Conflict');
    expect(await left()).to.deep.equal(copies);

    await stage.deleteNodeENI('nad-copied');
    await stage.gone('nad-copied');
    expect(await find('pods-a', 'nad-copied')).to.equal(undefined);
    expect(await left()).to.deep.equal(copies);
    await Promise.all(copies.map(({ metadata }) => stage.kube.delete(resource, metadata)));
  });

  describe('under a webhook that does not answer', () => {
    const probe = { name: 'nad-probe', namespace: 'pods-a' };

    before(async () => {
      await stage.kube.create(resource, { metadata: probe });
    });

    afterEach(async () => {
      const { items } = await stage.kube.list<KubeObject>(WEBHOOKS);
      await Promise.all(items.map(({ metadata }) => stage.kube.delete(WEBHOOKS, metadata)));
    });

    after(() => stage.kube.delete(resource, probe));

    /** Resolves once the API server asks it. */
    async function breakIt(): Promise<void> {
      await stage.kube.create(WEBHOOKS, {
        metadata: { name: 'nad-webhook' },
        webhooks: [
          {
            name: 'definitions.example.com',
            // Nothing listens there.
            clientConfig: { url: 'https://127.0.0.1:1/' },
            rules: [
              {
                apiGroups: [resource.group],
                apiVersions: ['*'],
                operations: ['CREATE', 'UPDATE', 'DELETE'],
                resources: [resource.plural],
              },
            ],
            sideEffects: 'None',
            admissionReviewVersions: ['v1'],
          },
        ],
      } as object as KubeObject);
      let tries = 0;
      await eventually(async () => {
        const annotations = { tries: `${tries++}` };
        const touched = stage.kube
          .patch(resource, probe, { type: 'merge', body: { metadata: { annotations } } })
          .catch((error) => error);
        expect(await touched).to.have.property('status', 500);
      });
    }

    const mendIt = () => stage.kube.delete(WEBHOOKS, { name: 'nad-webhook' });

    it('hold up nothing else, and are made once it does', async () => {
      await stage.addNode('nad-node', { labels: { 'nad-webhook': 'true' } });
      await breakIt();
      await create('nad-webhook');
      const condition = await reported('nad-webhook', 'Refused');
      expect(condition?.message).to.contain('definitions.example.com');
      await stage.ready('nad-webhook', 1);
      await mendIt();
      await reported('nad-webhook', 'Applied');
    });

    it('let the ENIs of a NodeENI go, and are deleted once it does', async () => {
      await stage.addNode('nad-node', { labels: { 'nad-end': 'true' } });
      await create('nad-end');
      await reported('nad-end', 'Applied');
      await stage.ready('nad-end', 1);
      await breakIt();
      await stage.deleteNodeENI('nad-end');
      await reported('nad-end', 'Refused');
      await eventually(() => expect(stage.managedEnis()).to.deep.equal([]));
      expect(await find('pods-a', 'nad-end')).not.to.equal(undefined);
      await mendIt();
      await stage.gone('nad-end');
      expect(await find('pods-a', 'nad-end')).to.equal(undefined);
    });
  });

  it('are corrected by the next change after a manual edit', async () => {
    await create('nad-edited');
    await reported('nad-edited', 'Applied');
    await stage.kube.patch(
      resource,
      { name: 'nad-edited', namespace: 'pods-a' },
      { type: 'merge', body: { spec: { config: '{}' }, metadata: { labels: { team: 'net' } } } },
    );
    await stage.patchNodeENI('nad-edited', { description: 'another' });
    await reported('nad-edited', 'Applied');
    const { metadata, spec } = (await find('pods-a', 'nad-edited')) ?? {};
    expect(JSON.parse(spec?.config ?? '')).to.include({ master: 'eni-pods' });
    expect(metadata?.labels).to.include({ team: 'net' });
  });

  it('survive the death of the controller that creates them', async () => {
    await create('nad-crash');
    await eventually(async () => expect(await find('pods-a', 'nad-crash')).not.to.equal(undefined));
    await stage.log.stop('SIGKILL');
    await stage.patchNodeENI('nad-crash', { networkAttachment: null });
    stage.start();
    await eventually(async () => {
      expect(await find('pods-a', 'nad-crash')).to.equal(undefined);
      expect(await find('pods-b', 'nad-crash')).to.equal(undefined);
    });
  });
});
