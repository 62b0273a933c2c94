import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  ApiException,
  ApiextensionsV1Api,
  AuthenticationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  Watch,
} from '@kubernetes/client-node';
import { expect } from 'chai';
import { parse } from 'yaml';
import { ControlPlane } from '../../../tools/envtest/control-plane.js';
import { NotOurClusterError } from '../../../tools/envtest/existing-cluster.js';
import {
  CONTROL_PLANE_TIMEOUT_MS,
  sharedControlPlane,
} from '../../../tools/envtest/shared-control-plane.js';
import { ProcessStartError } from '../../../tools/envtest/supervised-process.js';
import { untilTrue } from '../../support/eventually.js';
import { exists, processesNaming, runFixture } from './support.js';

function configOf(kubeconfigPath: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfigPath);
  return config;
}

async function apiError(call: Promise<unknown>): Promise<ApiException<unknown>> {
  const error = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(error instanceof ApiException)) throw new Error(`no ApiException: ${error}`);
  return error;
}

describe('ControlPlane', () => {
  let controlPlane: ControlPlane;
  let admin: KubeConfig;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    controlPlane = await sharedControlPlane();
    admin = configOf(controlPlane.kubeconfigPath);
  });

  it('is ready, with the namespaces default and kube-system', async () => {
    const { items } = await admin.makeApiClient(CoreV1Api).listNamespace();
    const names = items.map(({ metadata }) => metadata?.name);
    expect(names).to.include.members(['default', 'kube-system']);
  });

  it('writes kubeconfigs that only their owner can read', async function () {
    if (process.env.USE_EXISTING_CLUSTER === 'true') this.skip();
    const user = await controlPlane.kubeconfigFor({ name: 'someone' });
    for (const path of [controlPlane.kubeconfigPath, user]) {
      expect((await stat(path)).mode & 0o777).to.equal(0o600);
    }
  });

  it('serves the CRDs of a folder at once', async () => {
    const api = admin.makeApiClient(CustomObjectsApi);
    for (const plural of ['nodeenis', 'eniattachments']) {
      const list = { group: 'networking.k8s.aws', version: 'v1alpha1', plural };
      expect(await api.listClusterCustomObject(list)).to.have.property('items');
    }
  });

  it('applies CRDs again without a change', async () => {
    const api = admin.makeApiClient(ApiextensionsV1Api);
    const versions = async () => {
      const { items } = await api.listCustomResourceDefinition();
      return items.map(({ metadata }) => [metadata?.name, metadata?.resourceVersion]);
    };
    const before = await versions();
    await controlPlane.applyCrds('crds');
    expect(await versions()).to.deep.equal(before);
  });

  it('selects custom objects by a field that their CRD declares', async () => {
    const api = admin.makeApiClient(CustomObjectsApi);
    const list = await api.listClusterCustomObject({
      group: 'networking.k8s.aws',
      version: 'v1alpha1',
      plural: 'eniattachments',
      fieldSelector: 'spec.nodeName=no-such-node',
    });
    expect(list).to.have.property('items').that.deep.equals([]);
  });

  it('knows a user by name and groups, whatever characters they have', async function () {
    if (process.env.USE_EXISTING_CLUSTER === 'true') this.skip();
    const name = 'system:node:a, "b"+c=d;<e>\\é';
    const path = await controlPlane.kubeconfigFor({ name, groups: ['system:nodes', '#x, y=z'] });
    const api = configOf(path).makeApiClient(AuthenticationV1Api);
    const { status } = await api.createSelfSubjectReview({ body: {} });
    expect(status?.userInfo?.username).to.equal(name);
    expect(status?.userInfo?.groups).to.include.members(['system:nodes', '#x, y=z']);
  });

  it('refuses by RBAC a user without rights', async () => {
    const path = await controlPlane.kubeconfigFor({ name: 'nobody-in-particular' });
    const error = await apiError(configOf(path).makeApiClient(CoreV1Api).listNode());
    expect(error.code).to.equal(403);
    expect(String(error.body)).to.include('nobody-in-particular');
  });

  it("takes a service account's token", async () => {
    const core = admin.makeApiClient(CoreV1Api);
    const where = { name: `tokens-${process.pid}`, namespace: 'default' };
    await core.createNamespacedServiceAccount({
      namespace: where.namespace,
      body: { metadata: { name: where.name } },
    });
    try {
      const { status } = await core.createNamespacedServiceAccountToken({
        ...where,
        body: { spec: { audiences: [] } },
      });
      const path = await controlPlane.kubeconfigFor({ token: status?.token ?? '' });
      const api = configOf(path).makeApiClient(AuthenticationV1Api);
      const { status: review } = await api.createSelfSubjectReview({ body: {} });
      expect(review?.userInfo?.username).to.equal(`system:serviceaccount:default:${where.name}`);
    } finally {
      await core.deleteNamespacedServiceAccount(where);
    }
  });

  it('has a request in the audit log by the time it is answered', async function () {
    if (!controlPlane.auditLogPath) this.skip();
    const name = 'audited-user';
    const path = await controlPlane.kubeconfigFor({ name });
    await apiError(configOf(path).makeApiClient(CoreV1Api).listNode());
    const log = await readFile(controlPlane.auditLogPath, 'utf8');
    const events = log
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(({ user }) => user.username === name);
    expect(events).to.have.length(1);
    expect(events[0]).to.deep.include({ verb: 'list', stage: 'ResponseComplete' });
    expect(events[0].responseStatus.code).to.equal(403);
  });

  it('uses the current kubeconfig, and starts nothing, with USE_EXISTING_CLUSTER=true', async () => {
    const { KUBECONFIG, USE_EXISTING_CLUSTER } = process.env;
    process.env.KUBECONFIG = controlPlane.kubeconfigPath;
    process.env.USE_EXISTING_CLUSTER = 'true';
    try {
      const existing = await ControlPlane.start();
      expect(existing.server).to.equal(controlPlane.server);
      const path = await existing.kubeconfigFor({ name: 'impersonated', groups: ['some-group'] });
      const api = configOf(path).makeApiClient(AuthenticationV1Api);
      const { status } = await api.createSelfSubjectReview({ body: {} });
      expect(status?.userInfo?.username).to.equal('impersonated');
      expect(parse(await readFile(path, 'utf8')).users[0].user['as-groups']).to.deep.equal([
        'some-group',
      ]);
      const error = await existing.restartApiServer().catch((error: unknown) => error);
      expect(error).to.be.instanceOf(NotOurClusterError);
      await existing.stop();
      expect(await exists(path)).to.equal(false);
      expect(await exists(controlPlane.kubeconfigPath)).to.equal(true);
    } finally {
      restore('KUBECONFIG', KUBECONFIG);
      restore('USE_EXISTING_CLUSTER', USE_EXISTING_CLUSTER);
    }
  });
});

describe('a control plane of its own', function () {
  this.timeout(CONTROL_PLANE_TIMEOUT_MS);

  before(function () {
    if (process.env.USE_EXISTING_CLUSTER === 'true') this.skip();
  });

  it('keeps its port and its data over a restart of the API server', async () => {
    await withControlPlane({}, async (controlPlane) => {
      const core = configOf(controlPlane.kubeconfigPath).makeApiClient(CoreV1Api);
      await createConfigMap(core, 'kept');

      await controlPlane.stopApiServer();
      expect(await core.listNode().catch(() => 'refused')).to.equal('refused');

      await controlPlane.startApiServer();
      const kept = await core.readNamespacedConfigMap({ name: 'kept', namespace: 'default' });
      expect(kept.metadata?.name).to.equal('kept');
    });
  });

  it('answers a watch from before a compaction with 410 once it is restarted', async () => {
    await withControlPlane({}, async (controlPlane) => {
      const config = configOf(controlPlane.kubeconfigPath);
      const old = await changeConfigMaps(config);
      await controlPlane.compact();
      expect(await firstEvent(config, old)).to.include({ type: 'ADDED' });
      await controlPlane.restartApiServer();
      expect(await firstEvent(config, old)).to.deep.include({ type: 'ERROR', code: 410 });
    });
  });

  it('answers a watch from before a compaction with 410 at once without a watch cache', async () => {
    const extraApiServerFlags = ['--watch-cache=false'];
    await withControlPlane({ extraApiServerFlags }, async (controlPlane) => {
      const config = configOf(controlPlane.kubeconfigPath);
      const old = await changeConfigMaps(config);
      expect(await firstEvent(config, old)).to.include({ type: 'ADDED' });
      await controlPlane.compact();
      expect(await firstEvent(config, old)).to.deep.include({ type: 'ERROR', code: 410 });
    });
  });

  it('leaves no process and no folder when stopped', async () => {
    const controlPlane = await ControlPlane.start();
    const dir = dirname(controlPlane.kubeconfigPath);
    expect(await processesNaming(dir)).not.to.deep.equal([]);
    await controlPlane.stop();
    await controlPlane.stop();
    expect(await processesNaming(dir)).to.deep.equal([]);
    expect(await exists(dir)).to.equal(false);
  });

  it('leaves no process and no folder when SIGKILL ends the process that started it', async () => {
    const { line: kubeconfigPath, child, ended } = await runFixture('hold-control-plane');
    const dir = dirname(kubeconfigPath);
    expect((await processesNaming(dir)).some((line) => line.includes('kube-apiserver'))).to.equal(
      true,
    );
    child.kill('SIGKILL');
    await ended;
    await untilTrue(
      'its processes are gone',
      async () => (await processesNaming(dir)).length === 0,
    );
    expect(await exists(dir)).to.equal(false);
  });

  it('shows what the API server said when it does not start, and leaves nothing', async () => {
    const extraApiServerFlags = ['--no-such-flag=1'];
    const dataDir = await mkdtemp(join(tmpdir(), 'eni-operator-envtest-test-'));
    try {
      const error = await ControlPlane.start({ extraApiServerFlags, dataDir }).catch(
        (error: unknown) => error,
      );
      expect(error).to.be.instanceOf(ProcessStartError);
      expect(String(error)).to.include('kube-apiserver').and.to.include('no-such-flag');
      expect(await processesNaming(dataDir)).to.deep.equal([]);
    } finally {
      await rm(dataDir, { recursive: true });
    }
  });

  it('keeps its data in a folder that it is given', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'eni-operator-envtest-test-'));
    try {
      await withControlPlane({ dataDir }, async ({ kubeconfigPath }) => {
        await createConfigMap(configOf(kubeconfigPath).makeApiClient(CoreV1Api), 'kept');
      });
      await withControlPlane({ dataDir }, async ({ kubeconfigPath }) => {
        const core = configOf(kubeconfigPath).makeApiClient(CoreV1Api);
        const kept = await core.readNamespacedConfigMap({ name: 'kept', namespace: 'default' });
        expect(kept.metadata?.name).to.equal('kept');
      });
    } finally {
      await rm(dataDir, { recursive: true });
    }
  });

  it('refuses a CRD that the API server finds wrong', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'eni-operator-envtest-test-'));
    try {
      const crd = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' };
      await writeFile(
        join(dir, 'wrong.yaml'),
        JSON.stringify({ ...crd, metadata: { name: 'wrong.example.com' }, spec: {} }),
      );
      await withControlPlane({}, async (controlPlane) => {
        expect((await apiError(controlPlane.applyCrds(dir))).code).to.equal(422);
      });
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});

async function withControlPlane(
  options: Parameters<typeof ControlPlane.start>[0],
  use: (controlPlane: ControlPlane) => Promise<void>,
): Promise<void> {
  const controlPlane = await ControlPlane.start(options);
  try {
    await use(controlPlane);
  } finally {
    await controlPlane.stop();
  }
}

async function createConfigMap(core: CoreV1Api, name: string): Promise<void> {
  await core.createNamespacedConfigMap({ namespace: 'default', body: { metadata: { name } } });
}

/** Returns a resourceVersion that two creations follow. */
async function changeConfigMaps(config: KubeConfig): Promise<string> {
  const core = config.makeApiClient(CoreV1Api);
  const list = await core.listNamespacedConfigMap({ namespace: 'default' });
  await createConfigMap(core, 'first');
  await createConfigMap(core, 'second');
  return list.metadata?.resourceVersion ?? '';
}

/** The first event of a watch from `resourceVersion`, with the code that an ERROR event has. */
function firstEvent(
  config: KubeConfig,
  resourceVersion: string,
): Promise<{ type: string; code?: number }> {
  return new Promise((resolve, reject) => {
    const request = new Watch(config).watch(
      '/api/v1/namespaces/default/configmaps',
      { resourceVersion, timeoutSeconds: 10 },
      (type, object: { code?: number }) => {
        resolve(object.code === undefined ? { type } : { type, code: object.code });
        void request.then((controller) => controller.abort());
      },
      (error) => reject(error ?? new Error('the watch ended without an event')),
    );
    request.catch(reject);
  });
}

function restore(variable: string, value: string | undefined): void {
  if (value === undefined) delete process.env[variable];
  else process.env[variable] = value;
}
