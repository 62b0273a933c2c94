import { once } from 'node:events';
import http, { type RequestListener } from 'node:http';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import { CreateNetworkInterfaceCommand, DescribeSubnetsCommand } from '@aws-sdk/client-ec2';
import { expect } from 'chai';
import { generate } from 'selfsigned';
import { createEc2Client, type Ec2ClientOptions } from '../../../../src/aws/sdk/sdk-client.js';
import { listenOnLoopback, portOf } from '../../../support/loopback.js';
import { HttpProxy } from '../../runtime/support/http-proxy.js';

const VARIABLES = [
  'HTTPS_PROXY',
  'https_proxy',
  'HTTP_PROXY',
  'http_proxy',
  'NO_PROXY',
  'no_proxy',
];

describe('EC2 through a proxy', () => {
  const earlierEnv = { ...process.env };
  const earlierAuthorities = tls.getCACertificates();
  let proxy: HttpProxy;
  let ec2: https.Server;
  let url: string;
  /** Actions that EC2 was asked for. */
  let asked: string[];
  let clients: { destroy(): void }[];

  const answer: RequestListener = async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const action = new URLSearchParams(body).get('Action') ?? '';
    asked.push(action);
    response.end(`<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"/>`);
  };

  before(async () => {
    const extensions = [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }];
    const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
      extensions,
    } as never);
    tls.setDefaultCACertificates([cert]);
    ec2 = https.createServer({ key, cert }, answer);
    await listenOnLoopback(ec2);
    url = `https://localhost:${portOf(ec2)}`;
  });

  beforeEach(async () => {
    for (const name of VARIABLES) delete process.env[name];
    asked = [];
    clients = [];
    proxy = await HttpProxy.start();
  });

  afterEach(async () => {
    for (const client of clients) client.destroy();
    await proxy.stop();
    process.env = { ...earlierEnv };
  });

  after(async () => {
    tls.setDefaultCACertificates(earlierAuthorities);
    ec2.closeAllConnections();
    ec2.close();
    await once(ec2, 'close');
  });

  function clientOf(options: Partial<Ec2ClientOptions> = {}) {
    const credentials = { accessKeyId: 'x', secretAccessKey: 'x' };
    const client = createEc2Client({ region: 'us-west-2', endpoint: url, credentials, ...options });
    clients.push(client);
    return client;
  }

  const read = new DescribeSubnetsCommand({});
  const write = new CreateNetworkInterfaceCommand({ SubnetId: 'subnet-1' });

  for (const variable of ['HTTPS_PROXY', 'https_proxy'] as const) {
    it(`goes by the proxy that ${variable} names, on connections that are kept`, async () => {
      process.env[variable] = proxy.url;
      const client = clientOf();
      await client.send(read);
      await client.send(read);
      expect(proxy.tunnels).to.deep.equal([new URL(url).host]);
      expect(asked).to.deep.equal(['DescribeSubnets', 'DescribeSubnets']);
    });
  }

  it('goes directly to hosts that NO_PROXY names', async () => {
    process.env.HTTPS_PROXY = proxy.url;
    process.env.NO_PROXY = 'example.com,localhost';
    await clientOf().send(read);
    expect(proxy.tunnels).to.deep.equal([]);
    expect(asked).to.have.length(1);
  });

  it('goes directly where only HTTP_PROXY is set, for EC2 speaks HTTPS', async () => {
    process.env.HTTP_PROXY = proxy.url;
    await clientOf().send(read);
    expect(proxy.tunnels).to.deep.equal([]);
    expect(asked).to.have.length(1);
  });

  it('sends no write over a tunnel that stands only after leadership was lost', async () => {
    let mayWrite = true;
    const gate = net.createServer((client) => {
      client.once('data', (request) => {
        // The proxy is asked for the tunnel: leadership goes before it answers.
        mayWrite = false;
        const upstream = net.connect(Number(new URL(proxy.url).port), '127.0.0.1', () => {
          upstream.write(request);
          client.pipe(upstream).pipe(client);
        });
        for (const socket of [client, upstream]) socket.on('error', () => socket.destroy());
      });
    });
    await listenOnLoopback(gate);
    process.env.HTTPS_PROXY = `http://127.0.0.1:${portOf(gate)}`;
    const failure = await clientOf({ mayWrite: () => mayWrite })
      .send(write)
      .then(
        () => expect.fail('the write should have been fenced'),
        (error: Error) => error,
      );
    expect(String(failure)).to.include('this process is not the leader');
    expect(asked).to.deep.equal([]);
    gate.close();
  });

  it('sends writes through the proxy while they are allowed', async () => {
    process.env.HTTPS_PROXY = proxy.url;
    await clientOf({ mayWrite: () => true }).send(write);
    expect(asked).to.deep.equal(['CreateNetworkInterface']);
    expect(proxy.tunnels).to.have.length(1);
  });

  it('asks STS for credentials through the same proxy', async () => {
    process.env.HTTPS_PROXY = proxy.url;
    process.env.AWS_ROLE_ARN = 'arn:aws:iam::123456789012:role/eni-operator';
    process.env.AWS_WEB_IDENTITY_TOKEN_FILE = 'package.json';
    process.env.AWS_ENDPOINT_URL_STS = url;
    const client = createEc2Client({ region: 'us-west-2', endpoint: url });
    clients.push(client);
    // The answer has no credentials: it is enough that the request came by the proxy.
    await client.send(read).catch(() => undefined);
    expect(asked).to.include('AssumeRoleWithWebIdentity');
    expect(proxy.tunnels).to.include(new URL(url).host);
  });

  it('reaches an endpoint without TLS by the proxy that HTTP_PROXY names', async () => {
    const requests: string[] = [];
    const forward = http.createServer((request, response) => {
      requests.push(request.url ?? '');
      void answer(request, response);
    });
    await listenOnLoopback(forward);
    process.env.HTTP_PROXY = `http://127.0.0.1:${portOf(forward)}`;
    await clientOf({ endpoint: 'http://ec2.test:8080' }).send(read);
    expect(requests).to.deep.equal(['http://ec2.test:8080/']);
    forward.closeAllConnections();
    forward.close();
  });
});
