import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { CoreV1Api, KubeConfig, RbacAuthorizationV1Api } from '@kubernetes/client-node';
import { expect } from 'chai';
import { generate } from 'selfsigned';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { eventually } from '../../support/eventually.js';
import { servedPort } from '../../support/served-port.js';
import { Stage } from '../../support/stage.js';

const READER = 'eni-operator-metrics-reader-test';
const NAMESPACE = 'default';

describe('metrics over TLS, for whom RBAC allows', () => {
  let stage: Stage;
  let folder: string;
  let certificate: string;
  let port: number;
  let core: CoreV1Api;
  let rbac: RbacAuthorizationV1Api;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    stage = await Stage.open();
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromFile(stage.kubeconfigPath);
    core = kubeConfig.makeApiClient(CoreV1Api);
    rbac = kubeConfig.makeApiClient(RbacAuthorizationV1Api);
    await rbac.createClusterRole({
      body: {
        metadata: { name: READER },
        rules: [{ nonResourceURLs: ['/metrics'], verbs: ['get'] }],
      },
    });

    folder = await mkdtemp(join(tmpdir(), 'metrics-access-'));
    const pair = await generate([{ name: 'commonName', value: 'localhost' }]);
    certificate = pair.cert;
    const [METRICS_TLS_CERT, METRICS_TLS_KEY] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
    await writeFile(METRICS_TLS_CERT, pair.cert);
    await writeFile(METRICS_TLS_KEY, pair.private);
    const controller = stage.start({
      METRICS_ADDRESS: 'localhost:0',
      METRICS_AUTH: 'token',
      METRICS_TLS_CERT,
      METRICS_TLS_KEY,
    });
    port = await servedPort(controller, 'metrics');
  });

  after(async () => {
    await rbac.deleteClusterRole({ name: READER });
    await rm(folder, { recursive: true });
    await stage.close();
  });

  /** Trusts this certificate alone. */
  async function scrape(token?: string): Promise<[status: number | undefined, body: string]> {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const target = { host: 'localhost', port, path: '/metrics', ca: certificate, headers };
    const answer = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
      https.get({ ...target, agent: false }, resolve).once('error', reject);
    });
    return [answer.statusCode, await text(answer)];
  }

  /** With a path and headers as they are given, whatever they are. */
  async function request(
    method: string,
    path: string,
    headers: Record<string, string> = {},
  ): Promise<[status: number | undefined, body: string]> {
    const target = { host: 'localhost', port, path, method, ca: certificate, headers };
    const answer = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
      https
        .request({ ...target, agent: false }, resolve)
        .once('error', reject)
        .end();
    });
    return [answer.statusCode, await text(answer)];
  }

  async function serviceAccount(name: string): Promise<string> {
    const namespace = NAMESPACE;
    await core.createNamespacedServiceAccount({ namespace, body: { metadata: { name } } });
    const { status } = await core.createNamespacedServiceAccountToken({
      namespace,
      name,
      body: { spec: { audiences: [] } },
    });
    return status?.token ?? '';
  }

  it('asks for a token', async () => {
    expect(await scrape()).to.deep.equal([401, 'unauthorized\n']);
  });

  it('takes no token that the API server has not given', async () => {
    expect(await scrape('made-up')).to.deep.equal([401, 'unauthorized\n']);
  });

  for (const authorization of [
    '',
    'Bearer',
    'Bearer ',
    'Basic YTpi',
    `Bearer ${'x'.repeat(4_000)}`,
  ]) {
    it(`takes ${JSON.stringify(authorization.slice(0, 20))} for no token`, async () => {
      const answer = await request('GET', '/metrics', { authorization });
      expect(answer).to.deep.equal([401, 'unauthorized\n']);
    });
  }

  for (const method of ['HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']) {
    it(`shows nothing to ${method} without a token`, async () => {
      const [status, body] = await request(method, '/metrics');
      expect(status).to.be.oneOf([400, 401, 404, 405]);
      expect(body).not.to.include('# HELP');
    });
  }

  for (const path of [
    '/metrics/',
    '//metrics',
    '/metrics?token=x',
    '/%6detrics',
    '/./metrics',
    '/x/../metrics',
    '/metrics%00',
    '/metrics;x',
    '/METRICS',
    'https://localhost/metrics',
  ]) {
    it(`shows nothing at ${path} without a token`, async () => {
      const [status, body] = await request('GET', path);
      expect(status).to.be.oneOf([400, 401, 404]);
      expect(body).not.to.include('# HELP');
    });
  }

  it('takes no token that is for another audience', async () => {
    const name = `${READER}-elsewhere`;
    const namespace = NAMESPACE;
    await core.createNamespacedServiceAccount({ namespace, body: { metadata: { name } } });
    try {
      const body = { spec: { audiences: ['https://elsewhere.example'] } };
      const { status } = await core.createNamespacedServiceAccountToken({ namespace, name, body });
      expect(await scrape(status?.token)).to.deep.equal([401, 'unauthorized\n']);
    } finally {
      await core.deleteNamespacedServiceAccount({ namespace, name });
    }
  });

  it('shows nothing to a service account without the permission', async () => {
    const name = `${READER}-stranger`;
    try {
      expect(await scrape(await serviceAccount(name))).to.deep.equal([403, 'forbidden\n']);
    } finally {
      await core.deleteNamespacedServiceAccount({ namespace: NAMESPACE, name });
    }
  });

  it('shows metrics to a service account with it', async () => {
    const token = await serviceAccount(READER);
    const subjects = [{ kind: 'ServiceAccount', namespace: NAMESPACE, name: READER }];
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: READER };
    try {
      await rbac.createClusterRoleBinding({
        body: { metadata: { name: READER }, subjects, roleRef },
      });
      const reviewed = await rbacKnows(token);
      expect(reviewed).to.deep.equal([200, '# HELP']);
    } finally {
      await rbac.deleteClusterRoleBinding({ name: READER });
      await core.deleteNamespacedServiceAccount({ namespace: NAMESPACE, name: READER });
    }
  });

  /**
   * The API server's RBAC applies a binding a moment after it is made; a verdict from before it counts for a
   * minute, so that each try needs a token of its own.
   */
  async function rbacKnows(first: string): Promise<[status: number | undefined, head: string]> {
    let token = first;
    return eventually(async () => {
      const [status, body] = await scrape(token);
      if (status !== 200) {
        const request = { namespace: NAMESPACE, name: READER, body: { spec: { audiences: [] } } };
        const { status: issued } = await core.createNamespacedServiceAccountToken(request);
        token = issued?.token ?? '';
        throw new Error(`answered ${status}`);
      }
      return [status, body.slice(0, 6)];
    });
  }
});
