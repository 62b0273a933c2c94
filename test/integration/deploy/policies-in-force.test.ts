import { expect } from 'chai';
import { Registry } from 'prom-client';
import { Namespace } from '../../../src/api/namespace.js';
import type { Node } from '../../../src/api/node.js';
import { AdmissionPolicies } from '../../../src/operators/admission-policies.js';
import { systemClock } from '../../../src/runtime/clock.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { eventually } from '../../support/eventually.js';
import { RecordingLogger } from '../../support/recording-logger.js';
import { requestsOf } from './support/audit.js';
import { MULTUS_CRD } from './support/custom-objects.js';
import { CONTROLLER, DeployedCluster } from './support/deployed-cluster.js';
import { type Manifest, render } from './support/manifest.js';

const POLICIES = [
  'attachments',
  'controller-nodes',
  'controller-networks',
  'controller-node-condition',
];

describe('the controller’s check that its admission policies are in force', () => {
  let cluster: DeployedCluster;
  let manifests: Manifest[];
  const stop = new AbortController();
  const registry = new Registry();
  const logger = new RecordingLogger();
  const reasons: string[] = [];

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    cluster = await DeployedCluster.start();
    manifests = await render('default', { COMPONENTS: 'multus node-condition' });
    await cluster.apply([...manifests, MULTUS_CRD]);
    await cluster.untilServed('k8s.cni.cncf.io/v1');
    const { status } = await cluster.api.send('POST', '/api/v1/nodes', {
      metadata: { name: 'policy-node' },
    });
    expect(status).to.equal(201);
    const node = { metadata: { name: 'policy-node', uid: '', resourceVersion: '' } } as Node;
    const policies = new AdmissionPolicies({
      client: await cluster.clientAs(CONTROLLER),
      nodes: { list: () => [node] },
      events: { event: (_regarding, { reason }) => void reasons.push(reason) },
      cluster: { kind: Namespace, object: node },
      clock: systemClock,
      logger,
      registry,
      intervalMs: 100,
    });
    void policies.watch(stop.signal);
  });

  after(async () => {
    stop.abort();
    await cluster?.stop();
  });

  async function inForce(): Promise<Record<string, number>> {
    const metric = await registry.getSingleMetric('eni_admission_policy_in_force')?.get();
    return Object.fromEntries(
      (metric?.values ?? []).map(({ labels, value }) => [String(labels.policy), value]),
    );
  }

  /** Resolves after that many more checks. */
  async function untilChecked(times: number): Promise<void> {
    const reviews = async () =>
      (await requestsOf(cluster.controlPlane.auditLogPath ?? '', CONTROLLER)).filter(
        ({ resource }) => resource === 'selfsubjectaccessreviews',
      ).length;
    const before = await reviews();
    await eventually(async () =>
      expect(await reviews()).to.be.at.least(before + times * POLICIES.length),
    );
  }

  const all = (value: number) => Object.fromEntries(POLICIES.map((policy) => [policy, value]));

  const bindings = () => manifests.filter(({ kind }) => kind.endsWith('PolicyBinding'));

  it('finds all of them in the deployment as it is applied, and stores nothing', async () => {
    await eventually(async () => expect(await inForce()).to.deep.equal(all(1)));
    expect(reasons).to.deep.equal([]);
    const stored = await cluster.api.send(
      'GET',
      '/apis/networking.k8s.aws/v1alpha1/eniattachments',
    );
    expect(stored.body).to.have.property('items').that.deep.equals([]);
  });

  it('says it loudly where a binding only audits, and when it denies again', async () => {
    for (const binding of bindings()) {
      const spec = { policyName: binding.metadata.name, validationActions: ['Audit'] };
      await cluster.apply([{ ...binding, spec } as Manifest]);
    }
    await eventually(async () => expect(await inForce()).to.deep.equal(all(0)));
    expect(logger.messages('error')).to.deep.equal(
      POLICIES.map(() => 'Admission policy not in force'),
    );
    expect(reasons).to.deep.equal(POLICIES.map(() => 'PolicyNotInForce'));
    await cluster.apply(bindings());
    await eventually(async () => expect(await inForce()).to.deep.equal(all(1)));
    expect(reasons.slice(POLICIES.length)).to.deep.equal(POLICIES.map(() => 'PolicyInForce'));
  });

  it('asks for no policy of a permission that the controller does not have', async () => {
    const path = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';
    for (const name of [
      'controller-networks',
      'controller-startup-taint',
      'controller-node-condition',
    ]) {
      const { status } = await cluster.api.send('DELETE', `${path}/eni-operator-${name}`);
      expect(status).to.equal(200);
    }
    await eventually(async () => expect(await inForce()).to.deep.equal({ attachments: 1 }));
    const requests = await requestsOf(cluster.controlPlane.auditLogPath ?? '', CONTROLLER);
    const forbidden = requests.filter(({ decision }) => decision !== 'allow');
    // One check may have been under way; after it, none tries what the controller may not do.
    await untilChecked(2);
    const later = await requestsOf(cluster.controlPlane.auditLogPath ?? '', CONTROLLER);
    expect(later.length).to.be.greaterThan(requests.length);
    expect(later.filter(({ decision }) => decision !== 'allow')).to.deep.equal(forbidden);
  });
});
