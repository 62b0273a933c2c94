import { getEventListeners, once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { systemClock } from '../../../../../src/runtime/clock.js';
import {
  DeadlineError,
  type HttpRequest,
  type HttpResponse,
  roundTrip,
} from '../../../../../src/runtime/kube/http/http-round-trip.js';
import { KubeConnection } from '../../../../../src/runtime/kube/http/kube-connection.js';
import { KubeUnreachableError } from '../../../../../src/runtime/kube/kube-errors.js';
import { FakeAccess } from '../../support/fake-access.js';
import { VirtualTime } from '../../support/virtual-time.js';

describe('An exchange over HTTP', () => {
  let server: http.Server;
  let respond: http.RequestListener;
  let requests: string[];
  let connection: KubeConnection;
  let clock: VirtualTime;
  /** Connections that the server has accepted. */
  let accepted: net.Socket[];

  beforeEach(async () => {
    clock = new VirtualTime(0);
    requests = [];
    accepted = [];
    respond = (_request, response) => response.end('fine');
    server = http.createServer((request, response) => {
      requests.push(`${request.method} ${request.url}`);
      respond(request, response);
    });
    server.on('connection', (socket) => accepted.push(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    connection = connectionTo(server);
  });

  afterEach(async () => {
    connection.close();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  function connectionTo(listening: net.Server, scheme = 'http'): KubeConnection {
    const { port } = listening.address() as AddressInfo;
    const access = new FakeAccess(`${scheme}://127.0.0.1:${port}/base/`);
    return KubeConnection.create({ access, clock: systemClock });
  }

  async function send(request: Partial<HttpRequest> = {}): Promise<HttpResponse> {
    return roundTrip({
      connection: await connection.current(),
      limits: { clock, connectMs: 1_000, silenceMs: 5_000 },
      method: 'GET',
      path: '/a?b=c',
      ...request,
    });
  }

  const sendAndRead = async (request?: Partial<HttpRequest>) => text((await send(request)).body);

  function refusal(promise: Promise<unknown>): Promise<unknown> {
    return promise.then(
      () => expect.fail('It was not refused'),
      (error: unknown) => error,
    );
  }

  it('asks below the base path, and gives status, headers and body', async () => {
    respond = (_request, response) => {
      response.writeHead(404, ['X-Each', 'one', 'X-Each', 'two']);
      response.end('nothing');
    };
    const { status, headers, body } = await send();
    expect(requests).to.deep.equal(['GET /base/a?b=c']);
    expect(status).to.equal(404);
    expect(headers['x-each']).to.deep.equal(['one', 'two']);
    expect(await text(body)).to.equal('nothing');
  });

  it('sends a GET again where the server had closed the kept connection', async () => {
    await sendAndRead();
    respond = (request, response) => {
      if (request.socket === accepted[0]) request.socket.resetAndDestroy();
      else response.end('fine');
    };
    expect(await sendAndRead()).to.equal('fine');
    expect(requests).to.have.length(3);
    expect(accepted).to.have.length(2);
  });

  it('sends no write again: the server may have heard of it', async () => {
    await sendAndRead();
    respond = (request) => request.socket.resetAndDestroy();
    const error = await refusal(send({ method: 'PATCH', body: '{}' }));
    expect(error).to.be.instanceOf(KubeUnreachableError);
    expect(requests).to.have.length(2);
  });

  it('sends no GET again on a connection of its own', async () => {
    respond = (request) => request.socket.destroy();
    expect(await refusal(send())).to.be.instanceOf(KubeUnreachableError);
    expect(requests).to.have.length(1);
  });

  it('sends no GET again that broke off because the client was closed', async () => {
    await sendAndRead();
    respond = () => connection.close();
    expect(await refusal(send())).to.be.instanceOf(KubeUnreachableError);
    expect(requests).to.have.length(2);
  });

  describe('waits only so long', () => {
    /** What it had waited for when it gave up. */
    async function missed(promise: Promise<unknown>): Promise<string> {
      const error = await refusal(promise);
      expect(error).to.be.instanceOf(KubeUnreachableError);
      const { cause } = error as KubeUnreachableError;
      expect(cause).to.be.instanceOf(DeadlineError);
      return (cause as DeadlineError).message;
    }

    it('for a connection, TLS and all', async () => {
      const mute = net.createServer().listen(0, '127.0.0.1');
      await once(mute, 'listening');
      const connecting = connectionTo(mute, 'https');
      const given = missed(send({ connection: await connecting.current() }));
      const [socket]: net.Socket[] = await once(mute, 'connection');
      await clock.pass(1_000);
      expect(await given).to.equal('Not within 1000 ms: a connection');
      socket?.destroy();
      mute.close();
    });

    it('for an answer', async () => {
      const heard = Promise.withResolvers<void>();
      respond = () => heard.resolve();
      const given = missed(send());
      await heard.promise;
      await clock.pass(5_000);
      expect(await given).to.equal('Not within 5000 ms: an answer');
    });

    it('for each part of a body, whatever the whole takes', async () => {
      const { body, response } = await aHalfAnswer();
      for (const part of ['two', 'three']) {
        const next = body.next();
        await clock.pass(4_999);
        response.write(part);
        expect(String((await next).value)).to.equal(part);
      }
      const given = missed(body.next());
      await clock.pass(5_000);
      expect(await given).to.equal('Not within 5000 ms: the rest of it');
    });

    it('but for the parts of a stream forever', async () => {
      const { body, response } = await aHalfAnswer({ streaming: true });
      const next = body.next();
      await clock.pass(3_600_000);
      response.end('late');
      expect(String((await next).value)).to.equal('late');
    });
  });

  /** An answer whose first part has been read. */
  async function aHalfAnswer(request: Partial<HttpRequest> = {}) {
    const responding = Promise.withResolvers<http.ServerResponse>();
    respond = (_request, response) => {
      response.write('one');
      responding.resolve(response);
    };
    const { body } = await send(request);
    expect(String((await body.next()).value)).to.equal('one');
    return { body, response: await responding.promise };
  }

  it('breaks off with the reason of an abort, before the answer and within it', async () => {
    const reason = new Error('stopping');
    const before = new AbortController();
    respond = () => before.abort(reason);
    expect(await refusal(send({ signal: before.signal }))).to.equal(reason);
    expect(await refusal(send({ signal: before.signal }))).to.equal(reason);
    expect(requests).to.have.length(1);

    const within = new AbortController();
    const { body, response } = await aHalfAnswer({ signal: within.signal, streaming: true });
    const next = refusal(body.next());
    within.abort(reason);
    expect(await next).to.equal(reason);
    if (!response.closed) await once(response, 'close');
  });

  it('says that an answer broke off', async () => {
    const { body, response } = await aHalfAnswer();
    response.destroy();
    expect(await refusal(body.next())).to.be.instanceOf(KubeUnreachableError);
  });

  it('leaves nothing at a signal that outlives it', async () => {
    const { signal } = new AbortController();
    await sendAndRead({ signal });
    const { body } = await aHalfAnswer({ signal, streaming: true });
    expect(getEventListeners(signal, 'abort')).to.have.length(1);
    await body.return(undefined);
    respond = (request) => request.socket.destroy();
    await refusal(send({ signal, method: 'DELETE' }));
    // Connections close in their own time; a listener that stays would outlast the test's.
    while (getEventListeners(signal, 'abort').length > 0) await setImmediate();
  });

  it('has a connection for each of many requests at once, and keeps them all for the next', async () => {
    const waiting: http.ServerResponse[] = [];
    const all = Promise.withResolvers<void>();
    respond = (_request, response) => {
      waiting.push(response);
      if (waiting.length === 400) all.resolve();
    };
    const { signal } = new AbortController();
    const round = async () => {
      const answers = Array.from({ length: 400 }, () => sendAndRead({ signal }));
      await all.promise;
      for (const response of waiting) response.end('fine');
      return new Set(await Promise.all(answers));
    };
    expect(await round()).to.deep.equal(new Set(['fine']));
    respond = (_request, response) => response.end('again');
    expect(await round()).to.deep.equal(new Set(['again']));
    expect(accepted).to.have.length(400);
  });
});
