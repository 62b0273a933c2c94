import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { KubeConfigError } from '../../../../../src/runtime/kube/access/kube-access.js';
import { loadKubeAccess } from '../../../../../src/runtime/kube/access/load-kube-access.js';
import { TemporaryDirectory } from '../../../../../tools/envtest/temporary-directory.js';

const POD = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' };

describe('Finding the API server', () => {
  let directory: TemporaryDirectory;
  let HOME: string;

  before(async () => {
    directory = await TemporaryDirectory.create('load-kube-access-');
    HOME = directory.path;
    await mkdir(join(HOME, '.kube'));
    await kubeconfig('.kube/config', 'home');
    await kubeconfig('one', 'one');
    await kubeconfig('two', 'two');
  });

  after(() => directory.remove());

  function kubeconfig(path: string, name: string): Promise<void> {
    const content = {
      clusters: [{ name, cluster: { server: `https://${name}` } }],
      contexts: [{ name, context: { cluster: name, user: '' } }],
      'current-context': name,
    };
    return writeFile(join(HOME, path), JSON.stringify(content));
  }

  const urlOf = async (env: Record<string, string>) => (await loadKubeAccess({ env })).server.url;

  it('goes by KUBECONFIG first, of which each part counts', async () => {
    const KUBECONFIG = `:${join(HOME, 'one')}:${join(HOME, 'two')}`;
    expect(await urlOf({ ...POD, HOME, KUBECONFIG })).to.equal('https://one');
  });

  it('goes by the service account within a pod', async () => {
    expect(await urlOf({ ...POD, HOME, KUBECONFIG: '' })).to.equal('https://10.0.0.1:443');
  });

  it('goes by the kubeconfig in the home directory elsewhere', async () => {
    expect(await urlOf({ HOME })).to.equal('https://home');
  });

  it('says that nothing names an API server', async () => {
    const error = await loadKubeAccess({ env: {} }).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(KubeConfigError);
  });
});
