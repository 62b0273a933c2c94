import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig, type User } from '@kubernetes/client-node';
import { expect } from 'chai';
import { systemClock } from '../../../src/runtime/clock.js';
import { KubeConfigError, KubeConnection } from '../../../src/runtime/kube-connection.js';
import { useFakeTime } from './support/fake-timers.js';

describe('KubeConnection', () => {
  let connection: KubeConnection;
  const time = useFakeTime(async () => connection.close());

  function connect(user: Partial<User>, cluster: object = {}): { user: User } {
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromClusterAndUser(
      { name: 'c', server: 'https://api.example.com:6443/k8s/', skipTLSVerify: false, ...cluster },
      { name: 'u', ...user },
    );
    connection = KubeConnection.create({ kubeConfig, clock: systemClock });
    const current = kubeConfig.getCurrentUser();
    if (current === null) throw new Error('The user is there');
    return { user: current };
  }

  it('tells origin and base path of the server apart', async () => {
    connect({ token: 'one' });
    const { origin, basePath } = await connection.current();
    expect({ origin, basePath }).to.deep.equal({
      origin: 'https://api.example.com:6443',
      basePath: '/k8s',
    });
  });

  it('sends a bearer token, without the newline that its file ended with', async () => {
    connect({ token: 'one\n' });
    expect((await connection.current()).headers).to.deep.equal({ authorization: 'Bearer one' });
  });

  it('sends name and password as basic authorization', async () => {
    connect({ username: 'ann', password: 'secret' });
    const { headers } = await connection.current();
    expect(headers).to.deep.equal({
      authorization: `Basic ${Buffer.from('ann:secret').toString('base64')}`,
    });
  });

  it('reads a token again after 30 seconds, and keeps the connections', async () => {
    const { user } = connect({ token: 'one' });
    const first = await connection.current();
    Object.assign(user, { token: 'two' });
    await time.tick(29_999);
    expect((await connection.current()).headers).to.deep.equal({ authorization: 'Bearer one' });
    await time.tick(1);
    const second = await connection.current();
    expect(second.headers).to.deep.equal({ authorization: 'Bearer two' });
    expect(second.dispatcher).to.equal(first.dispatcher);
  });

  it('reads a token again at once where the server refused it', async () => {
    const { user } = connect({ token: 'one' });
    await connection.current();
    Object.assign(user, { token: 'two' });
    connection.credentialsRefused();
    expect((await connection.current()).headers).to.deep.equal({ authorization: 'Bearer two' });
  });

  it('makes new connections where the client certificate has been rotated', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'kube-connection-'));
    const certFile = join(directory, 'client.crt');
    try {
      await writeFile(certFile, 'certificate one');
      connect({ certFile });
      const first = await connection.current();
      await time.tick(30_000);
      expect((await connection.current()).dispatcher, 'unchanged').to.equal(first.dispatcher);
      await writeFile(certFile, 'certificate two');
      await time.tick(30_000);
      expect((await connection.current()).dispatcher, 'rotated').not.to.equal(first.dispatcher);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('refuses a proxy that it cannot speak to', async () => {
    connect({ token: 'one' }, { proxyUrl: 'socks5://127.0.0.1:1080' });
    const error = await connection.current().catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(KubeConfigError);
  });

  it('refuses a kubeconfig without a cluster', async () => {
    connection = KubeConnection.create({ kubeConfig: new KubeConfig(), clock: systemClock });
    const error = await connection.current().catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(KubeConfigError);
  });
});
