import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { VERSION } from '../../../src/config/version.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { eventually } from '../../support/eventually.js';
import { listenOnLoopback, portOf } from '../../support/loopback.js';
import { Stage, ZONE_A } from '../../support/stage.js';

/** A server on loopback that remembers what it was asked. */
class Listener {
  readonly requests: IncomingMessage[] = [];

  private constructor(private readonly server: Server) {}

  static async open(answer: (request: IncomingMessage) => string): Promise<Listener> {
    const server = createServer((request, response) => {
      listener.requests.push(request);
      request.resume();
      response.end(answer(request));
    });
    const listener = new Listener(server);
    await listenOnLoopback(server);
    return listener;
  }

  get url(): string {
    return `http://127.0.0.1:${portOf(this.server)}`;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

const inAnHour = (): string => new Date(Date.now() + 3_600_000).toISOString();

describe('the start', () => {
  let stage: Stage;
  let folder: string;
  const listeners: Listener[] = [];

  const listen = async (answer: (request: IncomingMessage) => string): Promise<Listener> => {
    const listener = await Listener.open(answer);
    listeners.push(listener);
    return listener;
  };

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    stage = await Stage.open();
    folder = await mkdtemp(join(tmpdir(), 'eni-operator-start-'));
  });

  afterEach(async () => {
    await stage.log.stop('SIGKILL');
    for (const listener of listeners.splice(0)) {
      listener.close();
    }
  });

  after(async () => {
    await stage.close();
    await rm(folder, { recursive: true });
  });

  const managed = (): Promise<Record<string, unknown>> =>
    eventually(() => {
      const line = stage.log.log.find(({ msg }) => msg === 'Managing ENIs');
      expect(line, stage.log.lines.join('\n')).not.to.equal(undefined);
      return { ...line };
    });

  it('refuses a wrong setting by its name, its value and what is allowed', async () => {
    const controller = stage.start({ DETACHMENT_TIMEOUT: 'soon' });
    expect(await controller.ended()).to.equal(1);
    expect(controller.lines.join('\n')).to.match(/DETACHMENT_TIMEOUT="soon".*such as 500ms, 15s/);
  });

  it('begins its log with its version', async () => {
    stage.start({ AWS_REGION: 'eu-north-1' });
    await managed();
    expect(stage.log.log[0]).to.deep.include({
      msg: 'Starting',
      component: 'controller',
      version: VERSION,
    });
  });

  it('takes the Region from its configuration first', async () => {
    stage.start({ AWS_REGION: 'eu-north-1' });
    expect(await managed()).to.include({ region: 'eu-north-1' });
  });

  it('takes the Region from the instance metadata service where none is configured', async () => {
    const imds = await listen(({ url }) =>
      url?.endsWith('/placement/region') ? 'ap-south-1' : 'a-token',
    );
    stage.start({
      AWS_REGION: '',
      AWS_EC2_METADATA_DISABLED: 'false',
      AWS_EC2_METADATA_SERVICE_ENDPOINT: imds.url,
    });
    expect(await managed()).to.include({ region: 'ap-south-1' });
    expect(imds.requests.map(({ method }) => method)).to.deep.equal(['PUT', 'GET']);
  });

  it('refuses to guess a Region', async () => {
    const controller = stage.start({ AWS_REGION: '' });
    expect(await controller.ended()).to.equal(1);
    expect(controller.lines.join('\n')).to.include('Set AWS_REGION.');
  });

  it('takes the Region of the nodes where nothing else tells', async () => {
    await stage.registerNode({ name: 'start-a', instanceID: 'i-0aaaaaaaaaaaaaaaa', zone: ZONE_A });
    stage.start({ AWS_REGION: '' });
    expect(await managed()).to.include({ region: 'us-west-2' });
  });

  const signedBy = async (ec2: Listener, accessKeyId: string): Promise<void> => {
    await eventually(() => {
      const [first] = ec2.requests;
      expect(first?.headers.authorization).to.include(`Credential=${accessKeyId}/`);
    });
  };

  it('signs with the credentials of EKS Pod Identity', async () => {
    const ec2 = await listen(() => '');
    const podIdentity = await listen(() =>
      JSON.stringify({
        AccessKeyId: 'POD-IDENTITY',
        SecretAccessKey: 'secret',
        Token: 'token',
        Expiration: inAnHour(),
      }),
    );
    const tokenFile = join(folder, 'pod-identity-token');
    await writeFile(tokenFile, 'a-token');
    stage.start({
      AWS_ENDPOINT_URL_EC2: ec2.url,
      AWS_ACCESS_KEY_ID: '',
      AWS_SECRET_ACCESS_KEY: '',
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${podIdentity.url}/v1/credentials`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: tokenFile,
    });
    await signedBy(ec2, 'POD-IDENTITY');
    expect(podIdentity.requests[0]?.headers.authorization).to.equal('a-token');
  });

  it('signs with the credentials of IAM roles for service accounts', async () => {
    const ec2 = await listen(() => '');
    const sts = await listen(
      () => `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
        <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>IRSA</AccessKeyId>
        <SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>
        <Expiration>${inAnHour()}</Expiration></Credentials></AssumeRoleWithWebIdentityResult>
        </AssumeRoleWithWebIdentityResponse>`,
    );
    const tokenFile = join(folder, 'web-identity-token');
    await writeFile(tokenFile, 'a-token');
    stage.start({
      AWS_ENDPOINT_URL_EC2: ec2.url,
      AWS_ENDPOINT_URL_STS: sts.url,
      AWS_ACCESS_KEY_ID: '',
      AWS_SECRET_ACCESS_KEY: '',
      AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/eni-operator',
      AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
    });
    await signedBy(ec2, 'IRSA');
  });

  it('stops at SIGTERM, with exit code 0', async () => {
    const controller = stage.start();
    await eventually(() => expect(controller.lines.join('\n')).to.include('"Started"'));
    expect(await controller.stop('SIGTERM')).to.equal(0);
  });

  it('writes one JSON object a line, with controller, key and reconcileID', async () => {
    await stage.addNode('start-b', { labels: { start: 'true' } });
    const controller = stage.start();
    await stage.createNodeENI('start');
    await stage.ready('start', 1);
    expect(controller.log, controller.lines.join('\n')).to.have.length(controller.lines.length);
    const created = controller.log.find(({ msg }) => msg === 'ENI created');
    expect(created).to.include({ level: 'info', controller: 'eniattachment', node: 'start-b' });
    expect(created)
      .to.have.property('key')
      .that.matches(/^start-[a-z2-7]{10}$/);
    expect(created)
      .to.have.property('reconcileID')
      .that.matches(/^[0-9a-f-]{36}$/);
  });
});
