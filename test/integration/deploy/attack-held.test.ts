import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { eventually } from '../../support/eventually.js';
import type { Answer, Api } from './support/api.js';
import { API, attachment } from './support/custom-objects.js';
import { AGENT, CONTROLLER, DeployedCluster, NAMESPACE } from './support/deployed-cluster.js';
import { type Manifest, render } from './support/manifest.js';

const ATTACHMENTS = `${API}/eniattachments`;
const OWN = `${ATTACHMENTS}/of-node-a`;
const SERVICE_ACCOUNTS = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`;
const LINK = { name: 'ens6', state: 'up', mtu: 9001 };

/** The deployment as it is applied: what its accounts try beyond their work is refused, or changes nothing. */
describe('attacks with the tokens of the deployed accounts', () => {
  let cluster: DeployedCluster;
  let manifests: Manifest[];
  let agent: Api;
  let controller: Api;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    cluster = await DeployedCluster.start();
    manifests = await render('default', { COMPONENTS: 'multus' });
    await cluster.apply(manifests);
    for (const node of ['node-a', 'node-b']) {
      await created('/api/v1/nodes', { metadata: { name: node } });
      const made = attachment({ name: `of-${node}`, nodeName: node });
      const metadata = { ...made.metadata, finalizers: ['networking.k8s.aws/eni'] };
      await created(ATTACHMENTS, { ...made, metadata });
      const status = { phase: 'Attached', eniID: 'eni-0aaaaaaaaaaaaaaaa', replacements: 3 };
      const { status: code } = await cluster.api.merge(`${ATTACHMENTS}/of-${node}/status`, {
        status,
      });
      expect(code).to.equal(200);
    }
    const workload = { kind: 'DaemonSet', name: AGENT.name, node: 'node-a' } as const;
    agent = await cluster.as(AGENT, await cluster.createPod(manifests, workload));
    controller = await cluster.as(CONTROLLER);
    await eventually(async () =>
      expect(
        (await agent.merge(`${ATTACHMENTS}/of-node-b/status`, { status: { link: LINK } })).status,
      ).to.equal(403),
    );
  });

  after(async () => {
    await cluster?.stop();
  });

  async function created(path: string, object: object): Promise<void> {
    const { status, body } = await cluster.api.send('POST', path, object);
    if (status !== 201) throw new Error(body.message);
  }

  const stored = async (): Promise<object> => (await cluster.api.send('GET', OWN)).body;

  /** By RBAC or an admission policy. A 404 would only show that the request missed its object. */
  async function isRefused(answer: Answer): Promise<void> {
    expect(answer.status, answer.body.message).to.equal(403);
  }

  it('of an agent: other fields of the status, by every kind of patch', async () => {
    const before = await stored();
    const status = `${OWN}/status`;
    const { metadata, spec } = before as Manifest & { spec: object };
    const full = {
      apiVersion: 'networking.k8s.aws/v1alpha1',
      kind: 'ENIAttachment',
      metadata,
      spec,
    };
    await isRefused(await agent.merge(status, { status: null }));
    await isRefused(
      await agent.send(
        'PATCH',
        status,
        [{ op: 'remove', path: '/status/eniID' }],
        'json-patch+json',
      ),
    );
    for (const fieldManager of ['agent', 'eni-operator']) {
      const applied = {
        ...full,
        metadata: { name: 'of-node-a' },
        status: { phase: 'Ready', eniID: 'eni-0bbbbbbbbbbbbbbbb' },
      };
      await isRefused(
        await agent.send(
          'PATCH',
          `${status}?fieldManager=${fieldManager}&force=true`,
          applied,
          'apply-patch+yaml',
        ),
      );
    }
    await isRefused(await agent.send('PUT', status, { ...full, status: { phase: 'Ready' } }));
    await isRefused(await agent.merge(`${status}?dryRun=All`, { status: { phase: 'Ready' } }));
    expect(await stored()).to.deep.equal(before);
  });

  it('of an agent: metadata and spec by way of the status', async () => {
    const before = await stored();
    const answer = await agent.merge(`${OWN}/status`, {
      metadata: { finalizers: [], labels: { a: 'b' }, ownerReferences: [] },
      spec: { instanceID: 'i-0bbbbbbbbbbbbbbbb' },
      status: { link: LINK },
    });
    expect(answer.status, 'the API server ignores the other parts').to.equal(200);
    const { metadata, spec } = before as Manifest & { spec: object };
    const after = (await stored()) as Manifest & { spec: object };
    expect(after.spec).to.deep.equal(spec);
    expect(after.metadata).to.deep.include({
      name: metadata.name,
      finalizers: ['networking.k8s.aws/eni'],
    });
    expect(after.metadata.labels).to.deep.equal(metadata.labels);
  });

  it('of an agent: every other verb', async () => {
    const { body } = await cluster.api.send('GET', OWN);
    await isRefused(await agent.send('GET', OWN));
    await isRefused(await agent.send('PUT', OWN, body));
    await isRefused(await agent.send('DELETE', OWN));
    await isRefused(await agent.send('DELETE', ATTACHMENTS));
    await isRefused(await agent.send('GET', `${OWN}/scale`));
    const forged = attachment({ name: 'forged', nodeName: 'node-a' });
    await isRefused(await agent.send('POST', ATTACHMENTS, forged));
    await isRefused(await agent.send('GET', `${API}/nodeenis`));
  });

  for (const name of ['agent', 'controller'] as const) {
    it(`of the ${name}: other identities`, async () => {
      const api = name === 'agent' ? agent : controller;
      for (const other of [AGENT.name, CONTROLLER.name]) {
        const token = { spec: { audiences: [] } };
        await isRefused(await api.send('POST', `${SERVICE_ACCOUNTS}/${other}/token`, token));
      }
      const { api: impersonating } = api.impersonating('system:admin');
      await isRefused(await impersonating.send('GET', '/api/v1/nodes'));
    });

    it(`of the ${name}: Secrets, Pods, and the operator’s own objects`, async () => {
      const api = name === 'agent' ? agent : controller;
      for (const path of [
        '/api/v1/secrets',
        '/api/v1/pods',
        `/api/v1/namespaces/${NAMESPACE}/configmaps`,
        '/apis/rbac.authorization.k8s.io/v1/clusterroles',
        '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies',
        '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
      ]) {
        await isRefused(await api.send('GET', path));
      }
    });
  }

  it('of the controller: a Node of its own', async () => {
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-c' } };
    await isRefused(await controller.send('POST', '/api/v1/nodes', node));
    await isRefused(
      await controller.send(
        'PATCH',
        '/api/v1/nodes/node-c?fieldManager=eni-operator',
        node,
        'apply-patch+yaml',
      ),
    );
  });

  it('by roles: none is aggregated into view, edit or admin, and none grants a wildcard', async () => {
    const roles = manifests.filter(({ kind }) => kind.endsWith('Role')) as (Manifest & {
      rules: Record<string, string[]>[];
    })[];
    expect(roles).not.to.deep.equal([]);
    for (const { metadata, rules } of roles) {
      const labels = Object.keys(metadata.labels ?? {});
      expect(labels.filter((label) => label.includes('aggregate'))).to.deep.equal([]);
      expect(
        rules.flatMap((rule) => Object.values(rule).flat()),
        metadata.name,
      ).not.to.include('*');
    }
  });

  it('by packages: every one that is locked has its integrity', async () => {
    const { packages } = JSON.parse(await readFile('package-lock.json', 'utf8')) as {
      packages: Record<string, { integrity?: string; link?: boolean }>;
    };
    const loose = Object.entries(packages)
      .filter(([path, { link }]) => path !== '' && !link)
      .filter(([, { integrity }]) => !/^sha512-/.test(integrity ?? ''));
    expect(loose.map(([path]) => path)).to.deep.equal([]);
  });
});
