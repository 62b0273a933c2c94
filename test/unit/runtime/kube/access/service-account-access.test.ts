import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { KubeConfigError } from '../../../../../src/runtime/kube/access/kube-access.js';
import { ServiceAccountAccess } from '../../../../../src/runtime/kube/access/service-account-access.js';
import { TemporaryDirectory } from '../../../../../tools/envtest/temporary-directory.js';

describe('ServiceAccountAccess', () => {
  let directory: TemporaryDirectory;

  beforeEach(async () => {
    directory = await TemporaryDirectory.create('service-account-');
    await mount('token', 'one\n');
    await mount('ca.crt', 'an authority\n');
  });

  afterEach(() => directory.remove());

  const mount = (name: string, content: string) => writeFile(join(directory.path, name), content);

  function find(host: string) {
    const env = { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: '443' };
    const access = ServiceAccountAccess.find({ env, directory: directory.path });
    if (access === undefined) throw new Error('The environment is a pod’s');
    return access;
  }

  async function refusal(): Promise<unknown> {
    return find('10.0.0.1')
      .credentials()
      .catch((error: unknown) => error);
  }

  it('finds the API server by the service variables of each pod', () => {
    expect(find('10.0.0.1').server.url).to.equal('https://10.0.0.1:443');
    expect(find('fd00::1').server.url).to.equal('https://[fd00::1]:443');
  });

  it('finds none outside a pod', () => {
    expect(ServiceAccountAccess.find({ env: {} })).to.equal(undefined);
    expect(ServiceAccountAccess.find({ env: { KUBERNETES_SERVICE_HOST: 'a' } })).to.equal(
      undefined,
    );
  });

  it('reads token and authority again each time, as both are rotated', async () => {
    const access = find('10.0.0.1');
    expect(await access.credentials()).to.deep.equal({
      headers: { authorization: 'Bearer one' },
      tls: { ca: 'an authority' },
    });
    await mount('token', 'two');
    await mount('ca.crt', 'another');
    expect(await access.credentials()).to.deep.equal({
      headers: { authorization: 'Bearer two' },
      tls: { ca: 'another' },
    });
  });

  it('says which file is missing', async () => {
    await rm(join(directory.path, 'token'));
    expect(await refusal())
      .to.be.instanceOf(KubeConfigError)
      .with.property('message', "The service account's token cannot be read");
  });

  it('takes an empty token for none', async () => {
    await mount('token', '\n');
    expect(await refusal()).to.be.instanceOf(KubeConfigError);
  });
});
