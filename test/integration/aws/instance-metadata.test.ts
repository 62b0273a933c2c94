import { createServer, type IncomingMessage, type Server } from 'node:http';
import { expect } from 'chai';
import { metadataRegion } from '../../../src/aws/region.js';
import { listenOnLoopback, portOf } from '../../support/loopback.js';

/** IMDSv2 as far as the Region: a token first, and nothing without it. */
class MetadataServer {
  readonly requests: string[] = [];
  private constructor(private readonly server: Server) {}

  static async start(answers: (request: IncomingMessage) => string | undefined | 'silence') {
    const server = createServer((request, response) => {
      metadata.requests.push(`${request.method} ${request.url}`);
      const answer = answers(request);
      if (answer === 'silence') return;
      response.writeHead(answer === undefined ? 404 : 200).end(answer);
    });
    const metadata = new MetadataServer(server);
    await listenOnLoopback(server);
    return metadata;
  }

  get env(): Record<string, string> {
    const port = portOf(this.server);
    return { AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${port}` };
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

function imdsV2(request: IncomingMessage): string | undefined {
  if (request.method === 'PUT' && request.url === '/latest/api/token') return 'token-1';
  const hasToken = request.headers['x-aws-ec2-metadata-token'] === 'token-1';
  return hasToken && request.url === '/latest/meta-data/placement/region'
    ? 'ap-south-1\n'
    : undefined;
}

describe('metadataRegion', () => {
  let server: MetadataServer | undefined;
  afterEach(async () => {
    await server?.stop();
    server = undefined;
  });

  it('reads the Region with a session token', async () => {
    server = await MetadataServer.start(imdsV2);

    expect(await metadataRegion({ env: server.env })).to.equal('ap-south-1');
    expect(server.requests).to.deep.equal([
      'PUT /latest/api/token',
      'GET /latest/meta-data/placement/region',
    ]);
  });

  it('sends no request where the metadata service is disabled', async () => {
    server = await MetadataServer.start(imdsV2);
    const env = { ...server.env, AWS_EC2_METADATA_DISABLED: 'true' };

    expect(await metadataRegion({ env })).to.equal(undefined);
    expect(server.requests).to.deep.equal([]);
  });

  it('never falls back to reading without a token', async () => {
    server = await MetadataServer.start(({ method }) => (method === 'PUT' ? undefined : 'x'));

    expect(await metadataRegion({ env: server.env })).to.equal(undefined);
    expect(server.requests).to.deep.equal(['PUT /latest/api/token']);
  });

  it('knows no Region where nothing answers in time', async () => {
    server = await MetadataServer.start(() => 'silence');

    expect(await metadataRegion({ env: server.env, timeoutMs: 50 })).to.equal(undefined);
  });

  it('knows no Region where nothing listens', async () => {
    server = await MetadataServer.start(imdsV2);
    const { env } = server;
    await server.stop();
    server = undefined;

    expect(await metadataRegion({ env, timeoutMs: 50 })).to.equal(undefined);
  });
});
