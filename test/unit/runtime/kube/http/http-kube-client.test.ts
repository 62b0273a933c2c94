import { once } from 'node:events';
import http from 'node:http';
import { json } from 'node:stream/consumers';
import { expect } from 'chai';
import { HttpKubeClient } from '../../../../../src/runtime/kube/http/http-kube-client.js';
import {
  KubeApiError,
  KubeUnreachableError,
  MalformedResponseError,
} from '../../../../../src/runtime/kube/kube-errors.js';
import { RecordingLogger } from '../../../../support/recording-logger.js';
import { FakeAccess } from '../../support/fake-access.js';
import { aThing, Thing } from '../../support/things.js';

describe('HttpKubeClient', () => {
  let server: http.Server;
  let respond: http.RequestListener;
  let client: HttpKubeClient;
  let access: FakeAccess;
  let logger: RecordingLogger;
  let answered: string[];

  beforeEach(async () => {
    server = http.createServer((request, response) => respond(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    access = new FakeAccess(`http://127.0.0.1:${port}`);
    logger = new RecordingLogger();
    answered = [];
    client = HttpKubeClient.create({
      access,
      logger,
      observer: { answered: ({ method, code }) => answered.push(`${method} ${code}`) },
    });
  });

  afterEach(async () => {
    await client.close();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  const get = () => client.get<Thing>(Thing.resource, { name: 'a' });

  async function refusal(promise: Promise<unknown>): Promise<Error> {
    const thrown = await promise.catch((error: unknown) => error);
    if (thrown instanceof Error) return thrown;
    throw new Error('It was not refused');
  }

  /** Reads a watch to its end, or its error. */
  async function watched(): Promise<{ events: string[]; error: unknown }> {
    const events: string[] = [];
    try {
      for await (const event of client.watch(Thing.resource, { resourceVersion: '1' })) {
        events.push(event.type);
      }
      return { events, error: undefined };
    } catch (error) {
      return { events, error };
    }
  }

  it('follows no redirect, and sends its token nowhere else', async () => {
    const asked: string[] = [];
    respond = (request, response) => {
      asked.push(request.url ?? '');
      const { port } = server.address() as { port: number };
      response.writeHead(307, { location: `http://127.0.0.1:${port}/elsewhere` }).end();
    };
    expect(await refusal(get()))
      .to.be.instanceOf(KubeApiError)
      .and.have.property('status', 307);
    expect(asked).to.have.length(1);
  });

  it('asks for JSON, with its authorization', async () => {
    let headers: http.IncomingHttpHeaders = {};
    respond = (request, response) => {
      headers = request.headers;
      response.end(JSON.stringify(aThing('a', 1)));
    };
    expect(await get()).to.deep.equal(aThing('a', 1));
    expect(headers).to.include({ accept: 'application/json', authorization: 'Bearer one' });
  });

  it('watches with bookmarks, from a version on', async () => {
    let url = '';
    respond = (request, response) => {
      url = request.url ?? '';
      response.end();
    };
    await watched();
    const { pathname, searchParams } = new URL(url, 'http://x');
    expect(pathname).to.equal('/apis/example.com/v1/things');
    expect(Object.fromEntries(searchParams)).to.deep.equal({
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: '1',
    });
  });

  it('carries status, reason and Retry-After of a refusal', async () => {
    respond = (_request, response) => {
      response.writeHead(429, { 'retry-after': '3' });
      response.end(JSON.stringify({ kind: 'Status', reason: 'TooManyRequests', message: 'busy' }));
    };
    const error = await refusal(get());
    expect(error).to.be.instanceOf(KubeApiError);
    expect(error).to.include({
      status: 429,
      reason: 'TooManyRequests',
      message: 'busy',
      retryAfterMs: 3_000,
    });
  });

  it('makes an error of a refusal that is no Status, as gateways send them', async () => {
    respond = (_request, response) => {
      response.writeHead(502);
      response.end('<html>Bad gateway</html>');
    };
    const error = await refusal(get());
    expect(error).to.be.instanceOf(KubeApiError);
    expect(error).to.include({ status: 502, reason: 'Unknown' });
  });

  it('takes a page of HTML in place of an object for a malformed answer', async () => {
    respond = (_request, response) => response.end('<html>Log in</html>');
    expect(await refusal(get())).to.be.instanceOf(MalformedResponseError);
  });

  it('throws the error within a watch, after the events before it', async () => {
    respond = (_request, response) => {
      const status = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' };
      response.write(`${JSON.stringify({ type: 'ADDED', object: aThing('a', 2) })}\n`);
      response.end(`${JSON.stringify({ type: 'ERROR', object: status })}\n`);
    };
    const { events, error } = await watched();
    expect(events).to.deep.equal(['ADDED']);
    expect(error).to.be.instanceOf(KubeApiError).and.to.include({ status: 410 });
  });

  it('throws that a watch broke off within a line', async () => {
    respond = (_request, response) => {
      response.write('{"type":"ADDED","obj', () => response.destroy());
    };
    expect((await watched()).error).to.be.instanceOf(KubeUnreachableError);
  });

  it('ends the request of a watch whose reader breaks off', async () => {
    const closed = Promise.withResolvers<void>();
    respond = (_request, response) => {
      response.on('close', closed.resolve);
      response.write(`${JSON.stringify({ type: 'ADDED', object: aThing('a', 2) })}\n`);
    };
    for await (const _ of client.watch(Thing.resource, { resourceVersion: '1' })) break;
    await closed.promise;
  });

  it('logs a warning of the server once', async () => {
    respond = (_request, response) => {
      response.setHeader('warning', '299 - "things/v1 is deprecated"');
      response.end(JSON.stringify(aThing('a', 1)));
    };
    await get();
    await get();
    expect(logger.entries.map(({ message, fields }) => [message, fields])).to.deep.equal([
      ['Warning from the API server', { warning: 'things/v1 is deprecated' }],
    ]);
  });

  it('logs each of many warnings', async () => {
    respond = (_request, response) => {
      response.setHeader('warning', ['299 - "old kind"', '299 - "old field"']);
      response.end(JSON.stringify(aThing('a', 1)));
    };
    await get();
    expect(logger.entries.map(({ fields }) => fields)).to.deep.equal([
      { warning: 'old kind' },
      { warning: 'old field' },
    ]);
  });

  it('sends the options of a deletion as a body of known length', async () => {
    let sent: unknown;
    let headers: http.IncomingHttpHeaders = {};
    respond = async (request, response) => {
      headers = request.headers;
      sent = await json(request);
      response.end(JSON.stringify({ kind: 'Status', status: 'Success' }));
    };
    await client.delete(Thing.resource, { name: 'a' }, { preconditions: { uid: 'u' } });
    expect(sent).to.deep.include({ kind: 'DeleteOptions', preconditions: { uid: 'u' } });
    expect(headers['content-length']).to.equal(String(JSON.stringify(sent).length));
  });

  it('reads its credentials again once the server has refused them', async () => {
    const tokens: (string | undefined)[] = [];
    respond = (request, response) => {
      tokens.push(request.headers.authorization);
      response.writeHead(tokens.length === 1 ? 401 : 200);
      response.end(JSON.stringify(aThing('a', 1)));
    };
    expect(await refusal(get())).to.include({ status: 401 });
    access.token = 'two';
    await get();
    expect(tokens).to.deep.equal(['Bearer one', 'Bearer two']);
  });

  it('reports each response to its observer, and each that did not come', async () => {
    respond = (request, response) => {
      if (request.method === 'DELETE') request.socket.destroy();
      else response.end(JSON.stringify(aThing('a', 1)));
    };
    await get();
    await refusal(client.delete(Thing.resource, { name: 'a' }));
    expect(answered).to.deep.equal(['GET 200', 'DELETE <error>']);
  });

  it('rejects with the reason of an abort', async () => {
    respond = () => undefined;
    const abort = new AbortController();
    const pending = client.get(Thing.resource, { name: 'a' }, { signal: abort.signal });
    const reason = new Error('stopping');
    abort.abort(reason);
    expect(await refusal(pending)).to.equal(reason);
  });
});
