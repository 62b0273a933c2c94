import { expect } from 'chai';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { eventually } from '../../support/eventually.js';
import type { Answer, Api } from './support/api.js';
import { API, attachment, MULTUS_CRD, nodeENI } from './support/custom-objects.js';
import { CONTROLLER, DeployedCluster } from './support/deployed-cluster.js';
import { type Manifest, render, theOne } from './support/manifest.js';
import type { Rule } from './support/permissions.js';

interface ClusterRole extends Manifest {
  rules: Rule[];
}

/** What the API server asks about the controller while it admits a write; no request of its own shows it. */
describe('the permissions that a write of another object needs', () => {
  let cluster: DeployedCluster;
  let manifests: Manifest[];
  let controller: Api;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    cluster = await DeployedCluster.start();
    manifests = await render('default', { COMPONENTS: 'multus' });
    await cluster.apply([...manifests, MULTUS_CRD]);
    await cluster.untilServed('k8s.cni.cncf.io/v1');
    controller = await cluster.as(CONTROLLER);
  });

  after(async () => {
    await cluster?.stop();
  });

  /** The write, before and after the role has lost one verb. */
  async function isRefusedWithout(
    { verb, resource, role }: { verb: string; resource: string; role: string },
    write: () => Promise<Answer>,
  ): Promise<string> {
    const { status, body } = await write();
    expect(status, body.message).to.equal(201);
    const manifest = theOne<ClusterRole>(manifests, 'ClusterRole', role);
    const rules = manifest.rules
      .map((rule) => {
        const isMeant = rule.resources?.includes(resource);
        return { ...rule, verbs: rule.verbs.filter((each) => !(isMeant && each === verb)) };
      })
      .filter(({ verbs }) => verbs.length > 0);
    const less: ClusterRole = { ...manifest, rules };
    await cluster.apply([less]);
    return eventually(async () => {
      const refused = await write();
      expect(refused.status).to.equal(403);
      return refused.body.message ?? '';
    });
  }

  it('include to update the finalizers of the NodeENI that an attachment keeps from being deleted', async () => {
    const owner = await cluster.api.send('POST', `${API}/nodeenis`, nodeENI('owner'));
    const owned = attachment({ name: 'owned', nodeName: 'any' });
    const ownerReference = {
      apiVersion: owned.apiVersion,
      kind: 'NodeENI',
      name: 'owner',
      uid: owner.body.metadata?.uid,
      blockOwnerDeletion: true,
    };
    const metadata = { ...owned.metadata, ownerReferences: [ownerReference] };
    const message = await isRefusedWithout(
      { verb: 'update', resource: 'nodeenis/finalizers', role: 'eni-operator-controller' },
      () => controller.send('POST', `${API}/eniattachments?dryRun=All`, { ...owned, metadata }),
    );
    expect(message).to.include('cannot set blockOwnerDeletion');
  });

  it('include to create the NetworkAttachmentDefinitions that it applies', async () => {
    const { group, names } = MULTUS_CRD.spec;
    const definition: Manifest = {
      apiVersion: `${group}/v1`,
      kind: names.kind,
      metadata: {
        name: 'any',
        namespace: 'default',
        labels: { 'app.kubernetes.io/managed-by': 'eni-operator' },
        ownerReferences: [
          { apiVersion: API.slice('/apis/'.length), kind: 'NodeENI', name: 'any', uid: 'any' },
        ],
      },
    } as Manifest;
    const labels = { 'networking.k8s.aws/network-attachments': 'allowed' };
    await cluster.api.merge('/api/v1/namespaces/default', { metadata: { labels } });
    const message = await isRefusedWithout(
      { verb: 'create', resource: names.plural, role: 'eni-operator-controller-networks' },
      () => controller.apply(definition, { dryRun: true }),
    );
    expect(message).to.include('cannot create resource');
  });
});
