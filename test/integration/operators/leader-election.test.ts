import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { expect } from 'chai';
import { Lease } from '../../../src/runtime/leader-election/lease.js';
import {
  CONTROL_PLANE_TIMEOUT_MS,
  sharedControlPlane,
} from '../../../tools/envtest/shared-control-plane.js';
import { ControllerProcess } from '../../../tools/stage/controller-process.js';
import { Ec2Recorder } from '../../support/ec2-recorder.js';
import { eventually } from '../../support/eventually.js';
import { HeldCredentials } from '../../support/held-credentials.js';
import { Stage } from '../../support/stage.js';
import { TcpProxy } from '../runtime/support/tcp-proxy.js';

const LEASE = { namespace: 'default', name: 'eni-operator-leader-test' };
const LEASE_DURATION_MS = 3_000;
const RENEW_DEADLINE_MS = 2_000;
const RETRY_PERIOD_MS = 500;
const PAUSED = 'The lease was not renewed in time; pausing until it is';
/** A retry comes after up to 2.2 periods; the rest is for a busy machine. */
const ACQUIRED_WITHIN_MS = 2.2 * RETRY_PERIOD_MS + 3_000;

describe('two controllers with a Lease', function () {
  this.timeout(60_000);
  let stage: Stage;
  let ec2: Ec2Recorder;
  let kubeconfigPath: string;
  let processes: ControllerProcess[];

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    ({ kubeconfigPath } = await sharedControlPlane());
  });

  beforeEach(async () => {
    stage = await Stage.open({ callLatency: { AttachNetworkInterface: 300 } });
    stage.deleteAtEnd(Lease.resource, LEASE);
    ec2 = await Ec2Recorder.start(stage.ec2.url);
    processes = [];
  });

  afterEach(async () => {
    await Promise.all(processes.map((each) => each.stop('SIGKILL')));
    await stage.close();
    await ec2.stop();
  });

  /** Starts a controller whose EC2 calls are signed in its name. */
  function start(
    name: string,
    env: Record<string, string> = {},
    kubeconfig = kubeconfigPath,
  ): ControllerProcess {
    const started = ControllerProcess.start({
      kubeconfigPath: kubeconfig,
      ec2Url: ec2.url,
      region: 'us-west-2',
      env: {
        POD_NAME: name,
        AWS_ACCESS_KEY_ID: name,
        LEADER_ELECTION: 'true',
        LEASE_NAMESPACE: LEASE.namespace,
        LEASE_NAME: LEASE.name,
        LEASE_DURATION: `${LEASE_DURATION_MS}ms`,
        RENEW_DEADLINE: `${RENEW_DEADLINE_MS}ms`,
        RETRY_PERIOD: `${RETRY_PERIOD_MS}ms`,
        OBSERVE_INTERVAL: '50ms',
        EC2_CONSISTENCY_WINDOW: '1s',
        LOOKUP_TTL: '0s',
        ...env,
      },
    });
    processes.push(started);
    return started;
  }

  const lease = (): Promise<Lease> => stage.kube.get<Lease>(Lease.resource, LEASE);
  const holder = async (): Promise<string> => (await lease()).spec?.holderIdentity ?? '';

  /** Resolves once the process holds the lease, and works. */
  const leads = (name: string, withinMs: number): Promise<void> =>
    eventually(async () => {
      expect(await holder()).to.match(new RegExp(`^${name}_`));
      expect(ec2.callsBy(name), 'EC2 calls').not.to.have.length(0);
    }, withinMs);

  const logged = (controller: ControllerProcess, message: string): Promise<unknown> =>
    eventually(() => {
      const messages = controller.log.map(({ msg }) => msg);
      expect(messages, controller.lines.join('\n')).to.include(message);
    });

  /** A leader, and a standby that is ready to take over. */
  async function startPair(
    env: Record<string, string> = {},
    kubeconfigOfLeader?: string,
  ): Promise<[ControllerProcess, ControllerProcess]> {
    const first = start('first', env, kubeconfigOfLeader);
    await leads('first', 15_000);
    const second = start('second', env);
    await logged(second, 'Another process holds the lease');
    return [first, second];
  }

  it('lets one work, while the other only reads once whether EC2 answers', async () => {
    await startPair();
    await stage.addNode('lead-a', { labels: { lead: 'true' } });
    await stage.createNodeENI('lead');
    await stage.ready('lead', 1);
    expect(ec2.callsBy('second').map(({ action }) => action)).to.deep.equal([
      'DescribeNetworkInterfaces',
    ]);
    expect(await holder()).to.match(/^first_/);
    const events = await eventually(async () => {
      const found = await stage.events(LEASE.name);
      expect(found).not.to.have.length(0);
      return found;
    });
    expect(events[0]).to.include({ reason: 'LeaderElection' });
    expect(events[0]?.note).to.match(/^first_.* became leader$/);
  });

  it('goes on within the lease when the leader is killed amid an attachment, with no ENI doubled', async () => {
    const [first] = await startPair();
    await stage.addNode('lead-a', { labels: { lead: 'true' } });
    await stage.createNodeENI('lead');
    await eventually(() =>
      expect(ec2.writesBy('first').map(({ action }) => action)).to.include(
        'AttachNetworkInterface',
      ),
    );
    const killedAt = Date.now();
    await first.stop('SIGKILL');
    await leads('second', LEASE_DURATION_MS + ACQUIRED_WITHIN_MS);
    await stage.ready('lead', 1);
    expect(stage.managedEnis()).to.have.length(1);
    // Its read as a standby was before.
    const listing = ec2.callsBy('second').find(({ at }) => at >= killedAt);
    const tookOverAfter = (listing?.at ?? 0) - killedAt;
    // A first that had not renewed since its deadline would have ended by itself.
    expect(tookOverAfter).to.be.at.least(LEASE_DURATION_MS - RENEW_DEADLINE_MS);
  });

  it('hands over without waiting for the lease to end at SIGTERM, with exit code 0', async () => {
    const [first] = await startPair({ LEASE_DURATION: '60s', RENEW_DEADLINE: '40s' });
    expect(await first.stop('SIGTERM')).to.equal(0);
    expect(first.log.map(({ msg }) => msg)).to.include('Lease released');
    await leads('second', ACQUIRED_WITHIN_MS);
    await stage.addNode('lead-a', { labels: { lead: 'true' } });
    await stage.createNodeENI('lead');
    await stage.ready('lead', 1);
    expect(ec2.writesBy('first')).to.deep.equal([]);
  });

  it('keeps a leader that slept through its lease from sending the write it was about to, and ends it with exit code 1', async () => {
    const credentials = await HeldCredentials.start('first');
    const first = start('first', {
      AWS_ACCESS_KEY_ID: '',
      AWS_SECRET_ACCESS_KEY: '',
      AWS_CONTAINER_CREDENTIALS_FULL_URI: credentials.url,
    });
    try {
      await leads('first', 15_000);
      const second = start('second');
      await logged(second, 'Another process holds the lease');
      await stage.addNode('lead-a', { labels: { lead: 'true' } });
      ec2.onCall = async ({ action }) => {
        if (action === 'CreateNetworkInterface') await credentials.hold();
      };
      await stage.createNodeENI('lead');
      // The Attach has been decided upon, and waits for the credentials to sign it with.
      await eventually(async () => {
        expect((await stage.listAttachments('lead'))[0]?.status?.phase).to.equal('Attaching');
        expect(credentials.held).to.be.at.least(1);
      });
      process.kill(first.pid, 'SIGSTOP');
      credentials.release();
      await leads('second', LEASE_DURATION_MS + ACQUIRED_WITHIN_MS);
      await stage.ready('lead', 1);
      const wokenAt = Date.now();
      process.kill(first.pid, 'SIGCONT');
      expect(await first.ended()).to.equal(1);
      expect(Date.now() - wokenAt).to.be.below(5_000);
      expect(first.lines.join('\n')).to.include('LeaseLostError');
      expect(ec2.writesBy('first').map(({ action }) => action)).to.deep.equal([
        'CreateNetworkInterface',
      ]);
      expect(stage.managedEnis()).to.have.length(1);
      expect(await holder()).to.match(/^second_/);
    } finally {
      await credentials.stop();
    }
  });

  /** A leader that reaches the API server through a proxy. */
  async function throughProxy(test: (proxy: TcpProxy, kubeconfig: string) => Promise<void>) {
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromFile(kubeconfigPath);
    const server = kubeConfig.getCurrentCluster()?.server ?? '';
    const proxy = await TcpProxy.start(server);
    const kubeconfig = join(tmpdir(), `eni-operator-leader-${process.pid}.yaml`);
    try {
      const text = await readFile(kubeconfigPath, 'utf8');
      await writeFile(kubeconfig, text.replaceAll(server, proxy.url));
      await test(proxy, kubeconfig);
    } finally {
      await proxy.stop();
      await rm(kubeconfig, { force: true });
    }
  }

  it('pauses a leader whose API server stays away, before another may take over, and ends it when it sees that', async () => {
    await throughProxy(async (proxy, kubeconfig) => {
      const [first] = await startPair({ LEASE_DURATION: '8s' }, kubeconfig);
      proxy.goSilent();
      await logged(first, PAUSED);
      expect(await holder(), 'the lease has not run out yet').to.match(/^first_/);
      await leads('second', 8_000 + ACQUIRED_WITHIN_MS);
      await stage.addNode('lead-a', { labels: { lead: 'true' } });
      await stage.createNodeENI('lead');
      await stage.ready('lead', 1);
      expect(ec2.writesBy('first')).to.deep.equal([]);
      proxy.cut();
      proxy.speak();
      expect(await first.ended()).to.equal(1);
      expect(first.lines.join('\n')).to.include('LeaseLostError');
    });
  });

  it('goes on in the same process after its API server was away, where no other has led', async () => {
    await throughProxy(async (proxy, kubeconfig) => {
      const only = start('only', {}, kubeconfig);
      await leads('only', 15_000);
      const leader = await holder();
      proxy.goDown();
      await logged(only, PAUSED);
      await stage.addNode('lead-a', { labels: { lead: 'true' } });
      await stage.createNodeENI('lead');
      expect(ec2.writesBy('only')).to.deep.equal([]);
      proxy.comeUp();
      await stage.ready('lead', 1);
      expect(stage.managedEnis()).to.have.length(1);
      expect(await holder()).to.equal(leader);
      expect((await lease()).spec?.leaseTransitions).to.equal(0);
    });
  });

  it('stops a standby at SIGTERM, with exit code 0, and leaves the lease alone', async () => {
    const [, second] = await startPair();
    expect(await second.stop('SIGTERM')).to.equal(0);
    const { renewTime } = (await lease()).spec ?? {};
    await eventually(async () => expect((await lease()).spec?.renewTime).not.to.equal(renewTime));
    expect((await lease()).spec).to.deep.include({ leaseTransitions: 0 });
    expect(await holder()).to.match(/^first_/);
  });
});
