import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { expect } from 'chai';
import { loadKubeAccess } from '../../../../../src/runtime/kube/access/load-kube-access.js';
import type { HttpKubeClient } from '../../../../../src/runtime/kube/http/http-kube-client.js';
import {
  CONTROL_PLANE_TIMEOUT_MS,
  sharedControlPlane,
} from '../../../../../tools/envtest/shared-control-plane.js';
import { TemporaryDirectory } from '../../../../../tools/envtest/temporary-directory.js';
import { VirtualTime } from '../../../../unit/runtime/support/virtual-time.js';
import { accessOf, ConfigMap, clientOf, newNamespace } from '../../support/cluster-client.js';

const { resource } = ConfigMap;

describe('A pod’s service account, against a real API server', () => {
  let directory: TemporaryDirectory;
  let namespace: string;
  let core: CoreV1Api;
  let client: HttpKubeClient;
  const clock = new VirtualTime(0);

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    directory = await TemporaryDirectory.create('service-account-');
    const { kubeconfigPath, server } = await sharedControlPlane();
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromFile(kubeconfigPath);
    core = kubeConfig.makeApiClient(CoreV1Api);
    const admin = clientOf(accessOf(kubeconfigPath));
    namespace = await newNamespace(admin);
    await admin.close();

    const ca = kubeConfig.getCurrentCluster()?.caData ?? '';
    await writeFile(join(directory.path, 'ca.crt'), Buffer.from(ca, 'base64'));
    await mountTokenOf('one');
    const { hostname, port } = new URL(server);
    const env = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
    client = clientOf(await loadKubeAccess({ env, directory: directory.path }), { clock });
  });

  after(async () => {
    await client.close();
    await directory.remove();
  });

  async function mountTokenOf(name: string): Promise<void> {
    await core.createNamespacedServiceAccount({ namespace, body: { metadata: { name } } });
    const { status } = await core.createNamespacedServiceAccountToken({
      namespace,
      name,
      body: { spec: { audiences: [] } },
    });
    await writeFile(join(directory.path, 'token'), status?.token ?? '');
  }

  /** As the API server calls whom it refuses. */
  async function whoAsks(): Promise<string | undefined> {
    const refused = client.list(resource, { namespace });
    const error = await refused.catch((thrown: unknown) => thrown);
    return /User "(?<name>[^"]+)"/.exec(String(error))?.groups?.name;
  }

  it('is who asks, and whom the file’s new token says once it is rotated', async () => {
    expect(await whoAsks()).to.equal(`system:serviceaccount:${namespace}:one`);
    await mountTokenOf('two');
    await clock.pass(30_000);
    expect(await whoAsks()).to.equal(`system:serviceaccount:${namespace}:two`);
  });
});
