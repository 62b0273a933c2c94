import { expect } from 'chai';
import { systemClock } from '../../../../../src/runtime/clock.js';
import { KubeConfigError } from '../../../../../src/runtime/kube/access/kube-access.js';
import { KubeConnection } from '../../../../../src/runtime/kube/http/kube-connection.js';
import { CertificateAuthority } from '../../../../../tools/envtest/pki.js';
import { FakeAccess } from '../../support/fake-access.js';
import { useFakeTime } from '../../support/fake-timers.js';

describe('KubeConnection', () => {
  let access: FakeAccess;
  let connection: KubeConnection;
  const time = useFakeTime(async () => connection.close());

  beforeEach(() => {
    access = new FakeAccess('https://api.example.com:6443/k8s/');
    connection = KubeConnection.create({ access, clock: systemClock });
  });

  function refusal(promise: Promise<unknown>): Promise<unknown> {
    return promise.catch((error: unknown) => error);
  }

  it('distinguishes origin and base path of the server', async () => {
    const { origin, basePath } = await connection.current();
    expect({ origin, basePath }).to.deep.equal({
      origin: 'https://api.example.com:6443',
      basePath: '/k8s',
    });
  });

  it('reads credentials again after 30 seconds, and keeps the pool while TLS needs no other', async () => {
    const first = await connection.current();
    access.token = 'two';
    await time.tick(29_999);
    expect((await connection.current()).headers).to.deep.equal({ authorization: 'Bearer one' });
    await time.tick(1);
    const second = await connection.current();
    expect(second.headers).to.deep.equal({ authorization: 'Bearer two' });
    expect(second.pool).to.equal(first.pool);
  });

  it('reads credentials once for all requests that wait for them', async () => {
    await Promise.all([connection.current(), connection.current(), connection.current()]);
    expect(access.readings).to.equal(1);
  });

  it('reads credentials again at once where the server refused them', async () => {
    await connection.current();
    access.token = 'two';
    connection.credentialsRefused();
    expect((await connection.current()).headers).to.deep.equal({ authorization: 'Bearer two' });
  });

  it('makes a new pool where the authority has changed', async () => {
    access.tls = { ca: (await CertificateAuthority.create()).certificate };
    const first = await connection.current();
    access.tls = { ca: (await CertificateAuthority.create()).certificate };
    await time.tick(30_000);
    expect((await connection.current()).pool).not.to.equal(first.pool);
  });

  it('refuses certificates that TLS cannot read, and reads them again for the next request', async () => {
    access.tls = { cert: 'half of a certificate' };
    expect(await refusal(connection.current())).to.be.instanceOf(KubeConfigError);
    access.tls = {};
    await connection.current();
  });

  it('refuses a server whose URL is none', () => {
    const create = () =>
      KubeConnection.create({ access: new FakeAccess('api.example.com'), clock: systemClock });
    expect(create).to.throw(KubeConfigError);
  });

  it('gives nothing once it is closed, not even after its credentials have aged', async () => {
    await connection.current();
    connection.close();
    await time.tick(30_000);
    expect(await refusal(connection.current())).to.be.instanceOf(KubeConfigError);
  });
});
