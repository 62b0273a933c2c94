import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { generate } from 'selfsigned';
import { Ec2Simulator } from '../../../tools/ec2-simulator/index.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { servedPort } from '../../support/served-port.js';
import { requestsOf, usedOf } from './support/audit.js';
import { CONTROLLER, DeployedCluster, NAMESPACE } from './support/deployed-cluster.js';
import { ImageLayout } from './support/image-layout.js';
import { type Manifest, parseManifests, render } from './support/manifest.js';
import { granted } from './support/permissions.js';
import { PodProcess } from './support/pod-process.js';

/** A scraper bound to the component's ClusterRole, and a user who is not. */
const ACCOUNTS = parseManifests(`
apiVersion: v1
kind: ServiceAccount
metadata: {name: prometheus, namespace: ${NAMESPACE}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: stranger, namespace: ${NAMESPACE}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: prometheus}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: eni-operator-metrics-reader}
subjects: [{kind: ServiceAccount, name: prometheus, namespace: ${NAMESPACE}}]
`);

describe('the component metrics-auth', () => {
  let cluster: DeployedCluster;
  let manifests: Manifest[];
  let image: ImageLayout;
  let ec2: Ec2Simulator;
  let secret: string;
  let certificate: string;
  let controller: PodProcess;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    image = await ImageLayout.create();
    ec2 = await Ec2Simulator.start({ region: 'us-west-2' });
    cluster = await DeployedCluster.start();
    manifests = await render('default', { REGION: 'us-west-2', COMPONENTS: 'metrics-auth' });
    await cluster.apply([...manifests, ...ACCOUNTS]);
    secret = await mkdtemp(join(tmpdir(), 'metrics-tls-'));
    await chmod(secret, 0o755);
    const pair = await generate([{ name: 'commonName', value: 'localhost' }]);
    certificate = pair.cert;
    await writeFile(join(secret, 'tls.crt'), pair.cert);
    await writeFile(join(secret, 'tls.key'), pair.private);

    const workload = { kind: 'Deployment', name: CONTROLLER.name, node: 'any' } as const;
    const pod = await cluster.createPod(manifests, workload);
    const [container = expect.fail('no container')] = pod.spec.containers;
    controller = await PodProcess.start({
      pod,
      container,
      manifests,
      paths: { '/app': image.app, '/etc/eni-operator/metrics-tls': secret },
      env: {
        ...(await cluster.identityOf(pod)).env(cluster.server),
        METRICS_ADDRESS: 'localhost:0',
        HEALTH_ADDRESS: '0',
        AWS_ENDPOINT_URL_EC2: ec2.url,
        AWS_ACCESS_KEY_ID: 'simulator',
        AWS_SECRET_ACCESS_KEY: 'simulator',
      },
    });
  });

  after(async () => {
    await controller?.stop();
    await cluster?.stop();
    await ec2?.stop();
    await image?.delete();
    if (secret) await rm(secret, { recursive: true });
  });

  async function scrape(account: string): Promise<number | undefined> {
    const port = await servedPort(controller, 'metrics');
    const token = await cluster.tokenOf({ namespace: NAMESPACE, name: account });
    const headers = { authorization: `Bearer ${token}` };
    const target = { host: 'localhost', port, path: '/metrics', ca: certificate, headers };
    return new Promise((resolve, reject) => {
      https
        .get({ ...target, agent: false }, (answer) => resolve(answer.resume().statusCode))
        .once('error', reject);
    });
  }

  it('shows metrics to those whom its ClusterRole is bound to, and to no other client', async () => {
    expect(await scrape('prometheus')).to.equal(200);
    expect(await scrape('stranger')).to.equal(403);
  });

  it('lets the controller ask about tokens and users, which it does, and no more', async () => {
    const requests = await requestsOf(cluster.controlPlane.auditLogPath ?? '', CONTROLLER);
    const without = granted(await render('default'), CONTROLLER);
    const added = granted(manifests, CONTROLLER).filter((each) => !without.includes(each));
    expect(added).to.have.length(2);
    expect(usedOf(added, requests)).to.deep.equal(added);
    expect(requests.filter(({ decision }) => decision !== 'allow')).to.deep.equal([]);
  });
});
