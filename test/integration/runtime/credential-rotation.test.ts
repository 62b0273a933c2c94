import { once } from 'node:events';
import type http from 'node:http';
import https from 'node:https';
import type { TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { HttpKubeClient } from '../../../src/runtime/kube/http/http-kube-client.js';
import { KubeUnreachableError } from '../../../src/runtime/kube/kube-errors.js';
import { CertificateAuthority } from '../../../tools/envtest/pki.js';
import { untilTrue } from '../../support/eventually.js';
import { listenOnLoopback } from '../../support/loopback.js';
import { RecordingLogger } from '../../support/recording-logger.js';
import { FakeAccess } from '../../unit/runtime/support/fake-access.js';
import { aThing, Thing } from '../../unit/runtime/support/things.js';
import { VirtualTime } from '../../unit/runtime/support/virtual-time.js';

/** Longer than a reading of the credentials is used, in milliseconds. */
const LATER_MS = 30_000;

describe('HttpKubeClient, while its credentials are rotated', () => {
  let ca: CertificateAuthority;
  let server: https.Server;
  let access: FakeAccess;
  let clock: VirtualTime;
  let client: HttpKubeClient;
  /** Who has asked, by the name within the client's certificate. */
  let callers: string[];
  let watch: http.ServerResponse | undefined;
  let open: number;

  const get = () => client.get<Thing>(Thing.resource, { name: 'a' });

  before(async () => {
    ca = await CertificateAuthority.create();
  });

  beforeEach(async () => {
    callers = [];
    open = 0;
    watch = undefined;
    const serving = await ca.servingCertificate();
    server = https.createServer(
      { ...serving, ca: ca.certificate, requestCert: true, rejectUnauthorized: true },
      (request, response) => {
        callers.push(callerOf(request.socket as TLSSocket));
        if (request.url?.includes('watch=true')) {
          watch = response;
          tell(response, 1);
        } else {
          response.end(JSON.stringify(aThing('a', 1)));
        }
      },
    );
    server.on('secureConnection', (socket) => {
      open += 1;
      socket.once('close', () => {
        open -= 1;
      });
    });
    const port = await listenOnLoopback(server);
    access = new FakeAccess(`https://127.0.0.1:${port}`);
    access.tls = { ca: ca.certificate, ...(await ca.clientCertificate({ name: 'ann' })) };
    clock = new VirtualTime(0);
    client = HttpKubeClient.create({ access, clock, logger: new RecordingLogger() });
  });

  afterEach(async () => {
    await client.close();
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });

  function tell(response: http.ServerResponse, version: number): void {
    response.write(`${JSON.stringify({ type: 'ADDED', object: aThing('a', version) })}\n`);
  }

  it('asks in the name of the new certificate, while a watch goes on under the old one', async () => {
    const events = client.watch(Thing.resource, { resourceVersion: '1' });
    await events.next();
    await get();
    expect(open).to.equal(2);

    access.tls = { ca: ca.certificate, ...(await ca.clientCertificate({ name: 'bob' })) };
    await clock.pass(LATER_MS);
    await get();
    expect(callers).to.deep.equal(['ann', 'ann', 'bob']);
    await untilTrue('the idle connection of the old certificate has ended', () => open === 2);

    const next = events.next();
    if (watch === undefined) throw new Error('The server has heard of the watch');
    tell(watch, 2);
    expect((await next).done).to.equal(false);
    watch.end();
    expect((await events.next()).done).to.equal(true);
    await untilTrue('the watch’s connection has ended', () => open === 1);
  });

  it('ends a watch under old credentials too, when it is closed', async () => {
    const events = client.watch(Thing.resource, { resourceVersion: '1' });
    await events.next();
    access.tls = { ca: ca.certificate, ...(await ca.clientCertificate({ name: 'bob' })) };
    await clock.pass(LATER_MS);
    await get();
    const next = events.next().catch((error: unknown) => error);
    await client.close();
    expect(await next).to.be.instanceOf(KubeUnreachableError);
  });

  it('trusts no longer whom it trusted before', async () => {
    await get();
    access.tls = { ...access.tls, ca: (await CertificateAuthority.create()).certificate };
    await clock.pass(LATER_MS);
    const error = await get().catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(KubeUnreachableError);
    expect((error as KubeUnreachableError).cause)
      .to.have.property('code')
      .that.is.a('string');
    expect(callers).to.deep.equal(['ann']);
  });
});

function callerOf(socket: TLSSocket): string {
  return String(socket.getPeerCertificate().subject.CN);
}
