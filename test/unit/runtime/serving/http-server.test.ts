import { connect } from 'node:net';
import { expect } from 'chai';
import { describeError } from '../../../../src/runtime/logger.js';
import {
  AddressUnavailableError,
  type Handler,
  HttpServer,
  type HttpServerOptions,
} from '../../../../src/runtime/serving/http-server.js';
import { RecordingLogger } from '../../../support/recording-logger.js';

describe('HttpServer', () => {
  let logger: RecordingLogger;
  let servers: HttpServer[];

  beforeEach(() => {
    logger = new RecordingLogger();
    servers = [];
  });

  afterEach(() => Promise.all(servers.map((server) => server.close())));

  async function serve(
    handler: Handler,
    options: Partial<HttpServerOptions> = {},
  ): Promise<HttpServer> {
    const address = { host: '127.0.0.1', port: 0 };
    const base = { name: 'metrics', setting: 'METRICS_ADDRESS', address, handler, logger };
    const server = await HttpServer.start({ ...base, ...options });
    servers.push(server);
    return server;
  }

  const ask = (server: HttpServer, path: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${server.port}${path}`, init);

  const echo: Handler = ({ path, query, authorization }) =>
    path === '/echo' ? { status: 200, body: `${query.get('say')} ${authorization}` } : undefined;

  it('hands path, query and authorization to its handler, and answers what that says', async () => {
    const server = await serve(echo);
    const answer = await ask(server, '/echo/?say=hello', { headers: { authorization: 'me' } });
    expect(answer.status).to.equal(200);
    expect(answer.headers.get('content-type')).to.equal('text/plain; charset=utf-8');
    expect(await answer.text()).to.equal('hello me');
  });

  it('logs where it listens', async () => {
    const { port } = await serve(echo);
    expect(logger.entries).to.deep.equal([
      { level: 'info', message: 'Serving', fields: { serves: 'metrics', port, tls: false } },
    ]);
  });

  it('answers HEAD with the head alone', async () => {
    const answer = await ask(await serve(echo), '/echo?say=hello', { method: 'HEAD' });
    expect(answer.headers.get('content-length')).to.equal(String('hello undefined'.length));
    expect(await answer.text()).to.equal('');
  });

  it('knows nothing of other paths', async () => {
    expect((await ask(await serve(echo), '/other')).status).to.equal(404);
  });

  it('takes no other methods', async () => {
    const answer = await ask(await serve(echo), '/echo', { method: 'POST' });
    expect(answer.status).to.equal(405);
    expect(answer.headers.get('allow')).to.equal('GET, HEAD');
  });

  it('survives a handler that throws, and reports the error in the log but not to the client', async () => {
    const server = await serve(() => {
      throw new Error('secret');
    });
    const answer = await ask(server, '/');
    expect(answer.status).to.equal(500);
    expect(await answer.text()).to.equal('internal error\n');
    expect(describeError(logger.entries.at(-1)?.fields.error)).to.equal('Error: secret');
  });

  it('survives what is no HTTP', async () => {
    const server = await serve(echo);
    const socket = connect(server.port, '127.0.0.1', () => socket.write('garbage\r\n\r\n'));
    const heard: Buffer[] = [];
    for await (const part of socket) heard.push(part);
    expect(Buffer.concat(heard).toString()).to.match(/^HTTP\/1\.1 400/);
    expect((await ask(server, '/echo?say=still')).status).to.equal(200);
  });

  it('does not start where its address is taken, and names setting and value', async () => {
    const { port } = await serve(echo);
    const address = { host: '127.0.0.1', port };
    const error = await serve(echo, { address }).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(AddressUnavailableError);
    expect((error as Error).message).to.equal(
      `METRICS_ADDRESS=127.0.0.1:${port} is not available: another process listens there. Choose another address, or 0 to serve nothing.`,
    );
  });

  it('does not start on an address that the machine has not', async () => {
    // TEST-NET-1 (RFC 5737) belongs to no machine.
    const address = { host: '192.0.2.1', port: 8080 };
    const error = await serve(echo, { address }).catch((thrown: unknown) => thrown);
    expect(String(error)).to.include('METRICS_ADDRESS=192.0.2.1:8080 is not available');
  });

  it('ends with requests under way', async () => {
    const asked = Promise.withResolvers<void>();
    const server = await serve(() => {
      asked.resolve();
      return new Promise(() => undefined);
    });
    const waiting = ask(server, '/').catch((thrown: unknown) => thrown);
    await asked.promise;
    await server.close();
    expect(await waiting).to.be.instanceOf(TypeError);
  });
});
