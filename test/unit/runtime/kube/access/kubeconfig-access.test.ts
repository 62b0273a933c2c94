import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Cluster, KubeConfig, type User } from '@kubernetes/client-node';
import { expect } from 'chai';
import { KubeConfigError } from '../../../../../src/runtime/kube/access/kube-access.js';
import { KubeConfigAccess } from '../../../../../src/runtime/kube/access/kubeconfig-access.js';
import { TemporaryDirectory } from '../../../../../tools/envtest/temporary-directory.js';

describe('KubeConfigAccess', () => {
  function accessOf(user: Partial<User>, cluster: Partial<Cluster> = {}): KubeConfigAccess {
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromClusterAndUser(
      { name: 'c', server: 'https://api.example.com:6443', skipTLSVerify: false, ...cluster },
      { name: 'u', ...user },
    );
    return KubeConfigAccess.create(kubeConfig);
  }

  const headersOf = async (access: KubeConfigAccess) => (await access.credentials()).headers;

  it('sends a bearer token, without the newline that its file ended with', async () => {
    expect(await headersOf(accessOf({ token: 'one\n' }))).to.deep.equal({
      authorization: 'Bearer one',
    });
  });

  it('sends name and password as basic authorization', async () => {
    expect(await headersOf(accessOf({ username: 'ann', password: 'secret' }))).to.deep.equal({
      authorization: `Basic ${Buffer.from('ann:secret').toString('base64')}`,
    });
  });

  it('sends the user to impersonate', async () => {
    expect(await headersOf(accessOf({ impersonateUser: 'ann' }))).to.deep.equal({
      'impersonate-user': 'ann',
    });
  });

  it('sends credentials in the clear only where TLS verification is skipped', async () => {
    const server = 'http://127.0.0.1:8001';
    expect(await headersOf(accessOf({ token: 'one' }, { server }))).to.deep.equal({});
    expect(
      await headersOf(accessOf({ token: 'one' }, { server, skipTLSVerify: true })),
    ).to.deep.equal({ authorization: 'Bearer one' });
  });

  it('trusts whom the cluster says, under the name that it says', async () => {
    const caData = Buffer.from('an authority').toString('base64');
    const { tls } = await accessOf({}, { caData, tlsServerName: 'kube.internal' }).credentials();
    expect(tls).to.deep.equal({ ca: Buffer.from('an authority'), servername: 'kube.internal' });
    const unseen = await accessOf({}, { skipTLSVerify: true }).credentials();
    expect(unseen.tls).to.deep.equal({ rejectUnauthorized: false });
  });

  it('reports an HTTP proxy, and refuses one that it cannot speak to', () => {
    expect(accessOf({}, { proxyUrl: 'http://proxy:3128' }).server).to.deep.equal({
      url: 'https://api.example.com:6443',
      proxyUrl: 'http://proxy:3128',
    });
    expect(() => accessOf({}, { proxyUrl: 'socks5://127.0.0.1:1080' })).to.throw(KubeConfigError);
  });

  it('refuses a kubeconfig without a cluster', () => {
    expect(() => KubeConfigAccess.create(new KubeConfig())).to.throw(KubeConfigError);
  });

  describe('of files', () => {
    let directory: TemporaryDirectory;

    beforeEach(async () => {
      directory = await TemporaryDirectory.create('kubeconfig-access-');
    });

    afterEach(() => directory.remove());

    async function file(name: string, content: string): Promise<string> {
      const path = join(directory.path, name);
      await writeFile(path, content);
      return path;
    }

    const kubeconfig = (name: string, current: string) =>
      file(
        name,
        JSON.stringify({
          clusters: [{ name, cluster: { server: `https://${name}` } }],
          users: [{ name, user: { 'client-certificate': `${name}.crt` } }],
          contexts: [{ name, context: { cluster: name, user: name } }],
          'current-context': current,
        }),
      );

    it('takes the current context of the first file that names one', async () => {
      const one = await kubeconfig('one', '');
      const two = await kubeconfig('two', 'one');
      const three = await kubeconfig('three', 'three');
      expect(KubeConfigAccess.fromFiles(one, two, three).server.url).to.equal('https://one');
      expect(KubeConfigAccess.fromFiles(three, two).server.url).to.equal('https://three');
    });

    it('reads a client certificate again, as it is rotated', async () => {
      const certFile = await file('one.crt', 'certificate one');
      const access = KubeConfigAccess.fromFiles(await kubeconfig('one', 'one'));
      expect((await access.credentials()).tls.cert).to.deep.equal(Buffer.from('certificate one'));
      await writeFile(certFile, 'certificate two');
      expect((await access.credentials()).tls.cert).to.deep.equal(Buffer.from('certificate two'));
    });
  });
});
