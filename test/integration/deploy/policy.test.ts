import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { parse } from 'yaml';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { eventually } from '../../support/eventually.js';
import type { Answer, Api } from './support/api.js';
import { API, attachment, MULTUS_CRD } from './support/custom-objects.js';
import { AGENT, CONTROLLER, DeployedCluster } from './support/deployed-cluster.js';
import { type Manifest, parseManifests, render, renderRenamed } from './support/manifest.js';

const RECORDS = `${API}/eniattachments`;
const NODES = '/api/v1/nodes';
const OURS = 'networking.k8s.aws/eni-not-ready';
const LINK = { name: 'ens6', state: 'up', mtu: 9001 };

/** A user who is no administrator, and may do whatever has a usual verb: an attacker with many rights. */
const TENANT = { namespace: 'default', name: 'tenant' };

/**
 * The service accounts may do everything, as far as RBAC is concerned: what is refused, a policy refuses. Verbs are
 * named, for all of them would make an administrator.
 */
const EVERYTHING = parseManifests(
  `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: everything}
rules: [{apiGroups: ["*"], resources: ["*"], verbs: [get, list, watch, create, update, patch, delete]}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {namespace: ${TENANT.namespace}, name: ${TENANT.name}}
---
${[CONTROLLER, AGENT, TENANT]
  .map(
    ({ namespace, name }) => `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: everything-${name}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: everything}
subjects: [{kind: ServiceAccount, namespace: ${namespace}, name: ${name}}]
`,
  )
  .join('---')}`,
);

/** A status with every field set, and another with every field different. */
const STATUS: Record<string, [unknown, unknown]> = {
  observedGeneration: [1, 2],
  phase: ['Attached', 'Ready'],
  eniID: ['eni-0aaaaaaaaaaaaaaaa', 'eni-0bbbbbbbbbbbbbbbb'],
  attachmentID: ['eni-attach-0aaaaaaaaaaaaaaaa', 'eni-attach-0bbbbbbbbbbbbbbbb'],
  macAddress: ['02:00:00:00:00:01', '02:00:00:00:00:02'],
  privateIPAddresses: [['10.0.0.1'], ['10.0.0.1', '10.0.0.2']],
  ipv6Addresses: [['2600::1'], ['2600::2']],
  ipv4Prefixes: [['10.0.0.16/28'], ['10.0.0.32/28']],
  publicIP: ['198.18.0.1', '198.18.0.2'],
  elasticIP: [
    { allocationID: 'eipalloc-1', associationID: 'eipassoc-1' },
    { allocationID: 'eipalloc-1', associationID: 'eipassoc-2' },
  ],
  ipv6Prefixes: [['2600:0:0:0:1::/80'], ['2600:0:0:0:2::/80']],
  replacements: [1, 2],
  tagKeys: [['a'], ['b']],
  lastUpdated: ['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'],
  conditions: [[condition('True')], [condition('False')]],
};

function condition(status: string) {
  const lastTransitionTime = '2026-01-01T00:00:00Z';
  return { type: 'Attached', status, reason: 'Any', message: '', lastTransitionTime };
}

const mayRemove = (taint: string) =>
  parseManifests(`
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: remove-${taint}}
rules: [{apiGroups: [networking.k8s.aws], resources: [startuptaints], resourceNames: [${taint}], verbs: [remove]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: remove-${taint}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: remove-${taint}}
subjects: [{kind: ServiceAccount, namespace: ${CONTROLLER.namespace}, name: ${CONTROLLER.name}}]
`);

const everythingFor = (user: string) =>
  parseManifests(`
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: everything-collector}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: everything}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: "${user}"}]
`);

function refused({ status, body }: Answer, message: string): void {
  expect(body.message).to.include(message);
  expect(status).to.equal(403);
}

describe('the admission policies', () => {
  let cluster: DeployedCluster;
  let manifests: Manifest[];
  /** The agent of node-a. */
  let agent: Api;
  let controller: Api;
  let tenant: Api;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    cluster = await DeployedCluster.start();
    manifests = await render('default', { COMPONENTS: 'multus' });
    await cluster.apply([...manifests, MULTUS_CRD, ...EVERYTHING]);
    await cluster.untilServed('k8s.cni.cncf.io/v1');
    const taints = [
      { key: OURS, effect: 'NoSchedule' },
      { key: 'theirs', value: 'x', effect: 'NoExecute' },
    ];
    for (const node of ['node-a', 'node-b']) {
      const spec = { providerID: `aws:///us-west-2a/${node}` };
      await created(NODES, { metadata: { name: node }, spec });
      // The API server has given it the taint not-ready.
      await cluster.api.merge(`${NODES}/${node}`, { spec: { taints } });
      await createRecord(node);
    }
    const workload = { kind: 'DaemonSet', name: AGENT.name, node: 'node-a' } as const;
    agent = await cluster.as(AGENT, await cluster.createPod(manifests, workload));
    controller = await cluster.as(CONTROLLER);
    tenant = await cluster.as(TENANT);
    // A new policy is enforced a moment after it is there.
    await eventually(async () => {
      expect(await writeLink(agent, 'node-b', 'down')).to.have.property('status', 403);
      expect(
        await controller.merge(`${NODES}/node-a?dryRun=All`, { metadata: { labels: { a: 'b' } } }),
      ).to.have.property('status', 403);
    });
  });

  after(async () => {
    await cluster?.stop();
  });

  async function created(path: string, object: object): Promise<void> {
    const { status, body } = await cluster.api.send('POST', path, object);
    if (status !== 201) throw new Error(body.message);
  }

  async function createRecord(node: string): Promise<void> {
    await created(RECORDS, attachment({ name: `of-${node}`, nodeName: node }));
    const status = Object.fromEntries(
      Object.entries(STATUS).map(([field, [value]]) => [field, value]),
    );
    const answer = await cluster.api.merge(`${RECORDS}/of-${node}/status`, { status });
    if (answer.status !== 200) throw new Error(answer.body.message);
  }

  const writeLink = (by: Api, node: string, state = 'up') =>
    by.merge(`${RECORDS}/of-${node}/status`, { status: { link: { ...LINK, state } } });

  describe('of the agents', () => {
    it('let an agent write status.link of the attachments of its own node, and take it away', async () => {
      expect(await writeLink(agent, 'node-a')).to.have.property('status', 200);
      const link = { link: null };
      expect(await agent.merge(`${RECORDS}/of-node-a/status`, { status: link })).to.have.property(
        'status',
        200,
      );
    });

    it('refuse it the attachments of other nodes', async () => {
      refused(
        await writeLink(agent, 'node-b'),
        'the agent of node node-a may not write attachments of node node-b',
      );
    });

    const hostile: Record<string, object> = {
      'a name of 1.5 MB': { name: 'x'.repeat(1_500_000) },
      'an alternative name that Linux does not take': { altName: 'x'.repeat(128) },
      'a MAC address that is none': { macAddress: '02:00:00:00:00:01:02' },
      'a thousand addresses': { addresses: Array.from({ length: 1_000 }, (_, i) => `10.0.0.${i}`) },
      'an empty reason': { reason: '' },
      'a reason of EC2’s': { reason: 'InstanceFull' },
      'a reason by the name of a member of every object': { reason: 'constructor' },
      'a message of 3 KB': { message: 'x'.repeat(3_000) },
    };
    for (const [what, link] of Object.entries(hostile)) {
      it(`bound status.link: ${what} is refused`, async () => {
        const { status } = await agent.merge(`${RECORDS}/of-node-a/status`, { status: { link } });
        expect(status).to.equal(422);
      });
    }

    it('know of every field of the status', async () => {
      const crd = parse(await readFile('crds/networking.k8s.aws_eniattachments.yaml', 'utf8'));
      const { status } = crd.spec.versions[0].schema.openAPIV3Schema.properties;
      expect(Object.keys(status.properties)).to.have.members([...Object.keys(STATUS), 'link']);
    });

    for (const [field, [, other]] of Object.entries(STATUS)) {
      it(`refuse it a change of status.${field}, alone or beside status.link`, async () => {
        for (const value of [other, null]) {
          for (const link of [{}, { link: LINK }]) {
            refused(
              await agent.merge(`${RECORDS}/of-node-a/status`, {
                status: { ...link, [field]: value },
              }),
              'nothing of the status but status.link',
            );
          }
        }
      });
    }

    it('refuse it whatever is no write of a status, even where RBAC lets it', async () => {
      const message = 'writes nothing of an ENIAttachment but its status';
      const own = `${RECORDS}/of-node-a`;
      refused(await agent.merge(own, { spec: { mtu: 1500 } }), message);
      refused(await agent.merge(own, { metadata: { finalizers: ['a.b/c'] } }), message);
      refused(await agent.send('DELETE', own), message);
      refused(
        await agent.send('POST', RECORDS, attachment({ name: 'another', nodeName: 'node-a' })),
        message,
      );
    });

    it('refuse a token that is bound to no pod', async () => {
      refused(await writeLink(await cluster.as(AGENT), 'node-a'), 'token must be bound to its pod');
    });

    it('refuse a user an attachment made, changed or deleted by hand, whatever RBAC lets the user do', async () => {
      const message = 'only the ENI operator writes ENIAttachments: edit the NodeENI instead';
      const forged = attachment({ name: 'forged', nodeName: 'node-a' });
      refused(await tenant.send('POST', RECORDS, forged), message);
      const own = `${RECORDS}/of-node-a`;
      refused(await tenant.merge(own, { metadata: { finalizers: null } }), message);
      refused(await tenant.merge(`${own}/status`, { status: { eniID: 'eni-0' } }), message);
      refused(await writeLink(tenant, 'node-a'), message);
      refused(await tenant.send('DELETE', own), message);
    });

    it('let the garbage collector delete what has no owner any longer', async () => {
      await createRecord('node-c');
      const collector = cluster.api.impersonating(
        'system:serviceaccount:kube-system:generic-garbage-collector',
      );
      await cluster.apply(everythingFor(collector.user));
      const deleted = await eventually(async () => {
        const answer = await collector.api.send('DELETE', `${RECORDS}/of-node-c`);
        expect(answer.body.message ?? '').to.not.include('cannot delete');
        return answer;
      });
      expect(deleted).to.have.property('status', 200);
    });

    it('leave the controller and administrators alone', async () => {
      for (const by of [cluster.api, controller]) {
        const body = { status: { link: LINK, replacements: 1 } };
        expect(await by.merge(`${RECORDS}/of-node-b/status`, body)).to.have.property('status', 200);
      }
    });
  });

  describe('of the controller', () => {
    const patchNode = (by: Api, body: object, path = 'node-a') =>
      by.merge(`${NODES}/${path}`, body);
    const ours = { key: OURS, effect: 'NoSchedule' };
    const theirs = { key: 'theirs', value: 'x', effect: 'NoExecute' };

    const onlyTaints: Record<string, object> = {
      'a label': { metadata: { labels: { a: 'b' } } },
      'an annotation': { metadata: { annotations: { a: 'b' } } },
      'a finalizer': { metadata: { finalizers: ['a.b/c'] } },
      'a cordon': { spec: { unschedulable: true } },
      'a pod CIDR beside a taint less': { spec: { podCIDR: '10.2.0.0/24', taints: [theirs] } },
      'a label beside a taint less': {
        metadata: { labels: { a: 'b' } },
        spec: { taints: [theirs] },
      },
    };
    for (const [what, body] of Object.entries(onlyTaints)) {
      it(`refuse it ${what}`, async () => {
        refused(await patchNode(controller, body), 'may change nothing of a Node');
      });
    }

    const otherTaints: Record<string, object[]> = {
      'a taint more': [ours, theirs, { key: 'new', effect: 'NoSchedule' }],
      'a taint instead of another': [theirs, { key: 'new', effect: 'NoSchedule' }],
      'another value of a taint': [ours, { ...theirs, value: 'y' }],
      'another effect of a taint': [{ ...ours, effect: 'NoExecute' }, theirs],
    };
    for (const [what, taints] of Object.entries(otherTaints)) {
      it(`refuse it ${what}`, async () => {
        refused(await patchNode(controller, { spec: { taints } }), 'not add or change them');
      });
    }

    it('refuse it to delete, to create, and to write what a Node reports', async () => {
      const message = 'does nothing to Nodes but take taints off';
      refused(await controller.send('DELETE', `${NODES}/node-a`), message);
      refused(await controller.send('POST', NODES, { metadata: { name: 'node-c' } }), message);
      const status = { status: { phase: 'Running' } };
      refused(await patchNode(controller, status, 'node-a/status'), message);
    });

    it('let it take startup taints off', async () => {
      const body = { spec: { taints: [theirs] } };
      expect(await patchNode(controller, body)).to.have.property('status', 200);
    });

    it('refuse it a taint that is no startup taint, until a role names that taint', async () => {
      const body = { spec: { taints: null } };
      refused(await patchNode(controller, body), 'may take off taints below networking.k8s.aws/');
      await cluster.apply(mayRemove('theirs'));
      await eventually(async () =>
        expect(await patchNode(controller, body)).to.have.property('status', 200),
      );
    });

    it('leave everybody else alone', async () => {
      for (const by of [cluster.api, agent]) {
        const body = { metadata: { labels: { a: null } }, spec: { taints: [ours] } };
        expect(await patchNode(by, body)).to.have.property('status', 200);
      }
    });
  });

  describe('of the controller’s NetworkAttachmentDefinitions', () => {
    const at = (namespace: string) =>
      `/apis/k8s.cni.cncf.io/v1/namespaces/${namespace}/network-attachment-definitions`;
    const ours = {
      labels: { 'app.kubernetes.io/managed-by': 'eni-operator' },
      ownerReferences: [
        { apiVersion: 'networking.k8s.aws/v1alpha1', kind: 'NodeENI', name: 'a', uid: 'a' },
      ],
    };
    const definition = (name: string, metadata: object) => ({
      apiVersion: 'k8s.cni.cncf.io/v1',
      kind: 'NetworkAttachmentDefinition',
      metadata: { name, ...metadata },
      spec: { config: '{}' },
    });
    const ONLY_OURS = 'may write only NetworkAttachmentDefinitions that carry its label';

    before(async () => {
      const labels = { 'networking.k8s.aws/network-attachments': 'allowed' };
      await created('/api/v1/namespaces', { metadata: { name: 'opted-in', labels } });
      await created(at('opted-in'), definition('theirs', {}));
      await eventually(async () => {
        const { status } = await controller.send('POST', at('opted-in'), definition('probe', {}));
        expect(status).to.equal(403);
      });
    });

    it('let it write its own in a namespace that opts in', async () => {
      const { status, body } = await controller.send('POST', at('opted-in'), definition('a', ours));
      expect(status, body.message).to.equal(201);
      const merge = { spec: { config: '{"type":"ipvlan"}' } };
      expect(await controller.merge(`${at('opted-in')}/a`, merge)).to.have.property('status', 200);
    });

    it('refuse it a namespace that does not', async () => {
      for (const namespace of ['kube-system', 'default']) {
        refused(
          await controller.send('POST', at(namespace), definition('a', ours)),
          `the namespace ${namespace} does not have the label`,
        );
      }
    });

    it('refuse it one without its label, without an owner, or with another owner', async () => {
      const [owner] = ours.ownerReferences;
      for (const metadata of [
        { ...ours, labels: {} },
        { ...ours, ownerReferences: [] },
        { ...ours, ownerReferences: [{ ...owner, kind: 'Deployment', apiVersion: 'apps/v1' }] },
      ]) {
        const answer = await controller.send('POST', at('opted-in'), definition('b', metadata));
        refused(answer, ONLY_OURS);
      }
    });

    it('refuse it to take over or to delete another’s', async () => {
      const path = `${at('opted-in')}/theirs`;
      refused(await controller.merge(path, { metadata: ours }), ONLY_OURS);
      refused(await controller.send('DELETE', path), ONLY_OURS);
    });

    it('let it delete its own, also where the namespace has opted out', async () => {
      await cluster.api.merge('/api/v1/namespaces/opted-in', {
        metadata: { labels: { 'networking.k8s.aws/network-attachments': null } },
      });
      await eventually(async () =>
        refused(
          await controller.merge(`${at('opted-in')}/a`, { spec: { config: '{"type":"macvlan"}' } }),
          'the namespace opted-in does not have the label',
        ),
      );
      const { status } = await controller.send('DELETE', `${at('opted-in')}/a`);
      expect(status).to.equal(200);
    });

    it('leave everybody else alone', async () => {
      const answer = await tenant.send('POST', at('default'), definition('tenant', {}));
      expect(answer).to.have.property('status', 201);
    });
  });
});

describe('the admission policies of an installation under other names', () => {
  const RENAMED = { namespace: 'network', prefix: 'team-', suffix: '-west' };
  const renamed = ({ name }: { name: string }) => ({
    namespace: RENAMED.namespace,
    name: `${RENAMED.prefix}${name}${RENAMED.suffix}`,
  });
  let cluster: DeployedCluster;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    cluster = await DeployedCluster.start();
    await cluster.apply(await renderRenamed('default', RENAMED));
    const node = { metadata: { name: 'node-a' }, spec: { taints: [] } };
    expect(await cluster.api.send('POST', NODES, node)).to.have.property('status', 201);
    const made = attachment({ name: 'of-node-a', nodeName: 'node-a' });
    expect(await cluster.api.send('POST', RECORDS, made)).to.have.property('status', 201);
  });

  after(async () => {
    await cluster?.stop();
  });

  it('bind the controller to startup taints', async () => {
    const controller = await cluster.as(renamed(CONTROLLER));
    await eventually(async () =>
      refused(
        await controller.merge(`${NODES}/node-a?dryRun=All`, { metadata: { labels: { a: 'b' } } }),
        'may change nothing of a Node',
      ),
    );
  });

  it('bind an agent to status.link', async () => {
    const agent = await cluster.as(renamed(AGENT));
    await eventually(async () =>
      refused(
        await agent.merge(`${RECORDS}/of-node-a/status`, { status: { link: LINK } }),
        'token must be bound to its pod',
      ),
    );
  });
});
