import { once } from 'node:events';
import http, { type Agent, type ClientRequest, type Server } from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { expect } from 'chai';
import { generate } from 'selfsigned';
import { FencedError, fencedAgents } from '../../../../src/aws/sdk/write-fence.js';

describe('fencedAgents', () => {
  let certificate: { private: string; cert: string };
  let mayWrite: boolean;
  let agents: ReturnType<typeof fencedAgents>;
  let servers: net.Server[];
  /** Requests that a server heard of. */
  let heard: number;
  /** Happens when a connection has begun and does not stand yet. */
  let whileConnecting: () => void;

  before(async () => {
    certificate = await generate([{ name: 'commonName', value: 'localhost' }]);
  });

  beforeEach(() => {
    mayWrite = true;
    servers = [];
    heard = 0;
    whileConnecting = () => undefined;
    agents = fencedAgents({ connectTimeoutMs: 200, mayWrite: () => mayWrite });
  });

  afterEach(() => {
    agents.httpAgent.destroy();
    agents.httpsAgent.destroy();
    for (const server of servers) server.close();
  });

  const answer: http.RequestListener = (_, response) => {
    heard += 1;
    response.end('ok');
  };

  const schemes: [string, () => Server, () => { request: typeof http.request; agent: Agent }][] = [
    [
      'http',
      () => http.createServer(answer),
      () => ({ request: http.request, agent: agents.httpAgent }),
    ],
    [
      'https',
      () => https.createServer({ key: certificate.private, cert: certificate.cert }, answer),
      () => ({ request: https.request, agent: agents.httpsAgent }),
    ],
  ];

  async function listen(server: net.Server): Promise<number> {
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  /** Resolves with the answer's body. */
  function finished(request: ClientRequest): Promise<string> {
    return new Promise((resolve, reject) => {
      request.on('error', reject);
      request.on('response', async (response) => {
        let body = '';
        for await (const chunk of response) body += chunk;
        resolve(body);
      });
    });
  }

  const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => expect.fail('the request should have failed'),
      (error: unknown) => error,
    );

  for (const [scheme, createServer, client] of schemes) {
    describe(`over ${scheme}`, () => {
      const post = (port: number): Promise<string> => {
        const { request, agent } = client();
        const options = { host: '127.0.0.1', port, agent, method: 'POST' };
        const sent = request({ ...options, rejectUnauthorized: false } as http.RequestOptions);
        sent.end('Action=CreateNetworkInterface');
        whileConnecting();
        return finished(sent);
      };

      it('carries requests, and keeps the connection for the next', async () => {
        const server = createServer();
        let connections = 0;
        server.on('connection', () => {
          connections += 1;
        });
        const port = await listen(server);
        for (let times = 0; times < 3; times++) expect(await post(port)).to.equal('ok');
        expect([heard, connections]).to.deep.equal([3, 1]);
      });

      it('sends nothing on a connection that stands too late', async () => {
        const port = await listen(createServer());
        whileConnecting = () => {
          mayWrite = false;
        };
        expect(await failureOf(post(port))).to.be.an.instanceOf(FencedError);
        expect(heard).to.equal(0);
      });

      it('carries the reads of who may not write', async () => {
        mayWrite = false;
        expect(await post(await listen(createServer()))).to.equal('ok');
      });

      it('fails a request whose connection is refused', async () => {
        const server = createServer();
        const port = await listen(server);
        server.close();
        await once(server, 'close');
        expect(await failureOf(post(port))).to.include({ code: 'ECONNREFUSED' });
      });
    });
  }

  it('gives up a connection that does not stand in time', async () => {
    const accepted: net.Socket[] = [];
    // It accepts, and never shakes hands.
    const port = await listen(net.createServer((socket) => accepted.push(socket)));
    const request = https.request({ host: '127.0.0.1', port, agent: agents.httpsAgent });
    request.end();
    expect(await failureOf(finished(request))).to.have.property(
      'message',
      'No connection within 200 ms',
    );
    for (const socket of accepted) socket.destroy();
  });
});
