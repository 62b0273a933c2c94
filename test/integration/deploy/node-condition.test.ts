import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { eventually } from '../../support/eventually.js';
import type { Answer, Api } from './support/api.js';
import { CONTROLLER, DeployedCluster } from './support/deployed-cluster.js';
import { render, renderRenamed } from './support/manifest.js';

const NODE = '/api/v1/nodes/node-a';
const OURS = 'networking.k8s.aws/ENIsReady';
const ONLY_OURS = 'may change nothing of the status of a Node but its condition';

const condition = (type: string, status = 'True') => ({
  type,
  status,
  reason: 'Any',
  message: '',
  lastHeartbeatTime: '2026-01-01T00:00:00Z',
  lastTransitionTime: '2026-01-01T00:00:00Z',
});

/** What kubelet reports, with every field of the status. */
const REPORTED = {
  capacity: { cpu: '2', pods: '29' },
  allocatable: { cpu: '1', pods: '29' },
  phase: 'Running',
  addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
  daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
  nodeInfo: { kubeletVersion: 'v1.34.0' },
  images: [{ names: ['a'], sizeBytes: 1 }],
  volumesInUse: ['kubernetes.io/csi/a'],
  volumesAttached: [{ name: 'kubernetes.io/csi/a', devicePath: '' }],
  runtimeHandlers: [{ name: '' }],
  features: { supplementalGroupsPolicy: true },
  conditions: [condition('Ready'), condition('DiskPressure', 'False')],
};

describe('the component node-condition', () => {
  let cluster: DeployedCluster;
  let controller: Api;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    cluster = await DeployedCluster.start();
    await cluster.apply(await render('default', { COMPONENTS: 'node-condition' }));
    const { status } = await cluster.api.send('POST', '/api/v1/nodes', {
      metadata: { name: 'node-a' },
    });
    expect(status).to.equal(201);
    const reported = await cluster.api.merge(`${NODE}/status`, { status: REPORTED });
    expect(reported.status, reported.body.message).to.equal(200);
    controller = await cluster.as(CONTROLLER);
    // A new policy is enforced a moment after it is there.
    await eventually(async () =>
      refused(
        await controller.merge(`${NODE}/status?dryRun=All`, {
          status: { conditions: [condition('Another')] },
        }),
        ONLY_OURS,
      ),
    );
  });

  after(async () => {
    await cluster?.stop();
  });

  const merge = (body: object, by: Api = controller) => by.merge(`${NODE}/status`, body);

  /** As the controller writes it. */
  const apply = (conditions: object[], by: Api = controller) =>
    by.send(
      'PATCH',
      `${NODE}/status?fieldManager=test&force=true`,
      { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-a' }, status: { conditions } },
      'apply-patch+yaml',
    );

  function refused({ status, body }: Answer, message: string): void {
    expect(body.message ?? '').to.include(message);
    expect(status).to.equal(403);
  }

  async function conditions(): Promise<Record<string, string>> {
    const { body } = await cluster.api.send('GET', NODE);
    const { conditions: all } = body.status as typeof REPORTED;
    return Object.fromEntries(all.map(({ type, status }) => [type, status]));
  }

  it('lets the controller set, change and remove its condition beside kubelet’s', async () => {
    const kubelets = { Ready: 'True', DiskPressure: 'False' };
    for (const status of ['False', 'True']) {
      const answer = await apply([condition(OURS, status)]);
      expect(answer.status, answer.body.message).to.equal(200);
      expect(await conditions()).to.deep.equal({ ...kubelets, [OURS]: status });
    }
    expect((await apply([])).status).to.equal(200);
    expect(await conditions()).to.deep.equal(kubelets);
  });

  it('refuses it another condition, kubelet’s too, alone or beside its own', async () => {
    const others = [
      [condition('Another')],
      [condition('Ready', 'False')],
      [condition(OURS), condition('Another')],
      [condition(OURS), condition('DiskPressure', 'True')],
      [condition(`${OURS}x`)],
    ];
    for (const each of others) refused(await apply(each), ONLY_OURS);
    refused(await merge({ status: { conditions: null } }), ONLY_OURS);
    refused(await merge({ status: { conditions: [condition(OURS)] } }), ONLY_OURS);
  });

  for (const field of Object.keys(REPORTED).filter((name) => name !== 'conditions')) {
    it(`refuses it a change of status.${field}`, async () => {
      refused(await merge({ status: { [field]: null } }), ONLY_OURS);
    });
  }

  it('compares every field that the status has in this version of Kubernetes', async () => {
    const policy = await readFile('kustomize/components/node-condition/policy.yaml', 'utf8');
    const { body } = await cluster.api.send('GET', '/openapi/v3/api/v1');
    const { schemas } = body.components as {
      schemas: Record<string, { properties: Record<string, unknown> }>;
    };
    const known = schemas['io.k8s.api.core.v1.NodeStatus']?.properties ?? {};
    const fields = Object.keys(known).filter((field) => field !== 'conditions');
    expect(fields).to.include.members(['capacity', 'nodeInfo']);
    for (const field of fields) {
      expect(policy).to.include(`object.?status.${field} == oldObject.?status.${field}`);
    }
  });

  it('refuses it labels, annotations and taints by way of the status', async () => {
    for (const metadata of [{ labels: { a: 'b' } }, { annotations: { a: 'b' } }]) {
      refused(await merge({ metadata }), 'may change nothing of the metadata of a Node');
    }
    const before = (await cluster.api.send('GET', NODE)).body.spec;
    await merge({ spec: { taints: [], unschedulable: true, podCIDR: '10.9.0.0/24' } });
    expect((await cluster.api.send('GET', NODE)).body.spec).to.deep.equal(before);
  });

  it('gives it nothing else of Nodes', async () => {
    refused(
      await controller.merge(NODE, { metadata: { labels: { a: 'b' } } }),
      'may change nothing of a Node',
    );
    expect((await controller.send('DELETE', NODE)).status).to.equal(403);
    expect((await controller.send('PUT', `${NODE}/status`, {})).status).to.equal(403);
  });

  it('leaves kubelet and administrators alone', async () => {
    const answer = await merge({ status: { capacity: { cpu: '4' } } }, cluster.api);
    expect(answer.status, answer.body.message).to.equal(200);
  });
});

describe('the component node-condition under other names', () => {
  let cluster: DeployedCluster;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    cluster = await DeployedCluster.start();
  });

  after(async () => {
    await cluster?.stop();
  });

  it('binds the controller likewise', async () => {
    const names = { namespace: 'network', prefix: 'team-', suffix: '-west' };
    await cluster.apply(await renderRenamed('default', names, ['node-condition']));
    await cluster.api.send('POST', '/api/v1/nodes', { metadata: { name: 'node-a' } });
    const controller = await cluster.as({
      namespace: names.namespace,
      name: `${names.prefix}${CONTROLLER.name}${names.suffix}`,
    });
    const status = { conditions: [condition('Another')] };
    await eventually(async () => {
      const answer = await controller.merge(`${NODE}/status?dryRun=All`, { status });
      expect(answer.body.message ?? '').to.include(ONLY_OURS);
    });
    const own = { conditions: [condition(OURS)] };
    expect((await controller.merge(`${NODE}/status`, { status: own })).status).to.equal(200);
  });
});
