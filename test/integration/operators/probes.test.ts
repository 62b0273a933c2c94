import { expect } from 'chai';
import { Lease } from '../../../src/runtime/leader-election/lease.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import type { ControllerProcess } from '../../../tools/stage/controller-process.js';
import { eventually } from '../../support/eventually.js';
import { parseMetrics } from '../../support/prometheus-text.js';
import { servedPort } from '../../support/served-port.js';
import { Stage } from '../../support/stage.js';

const LEASE = { namespace: 'default', name: 'eni-operator-probes-test' };
const SERVED = { METRICS_ADDRESS: '127.0.0.1:0', HEALTH_ADDRESS: '127.0.0.1:0' };
const ELECTING = {
  ...SERVED,
  LEADER_ELECTION: 'true',
  LEASE_NAMESPACE: LEASE.namespace,
  LEASE_NAME: LEASE.name,
};

describe('the probes of a controller', () => {
  let stage: Stage;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    stage = await Stage.open();
    stage.deleteAtEnd(Lease.resource, LEASE);
  });

  afterEach(async () => {
    stage.ec2.clearFaults();
    await stage.log.stop();
  });

  after(async () => {
    await stage.close();
  });

  async function ask(controller: ControllerProcess, path: string): Promise<[number, string]> {
    const answer = await fetch(`http://127.0.0.1:${await servedPort(controller, 'health')}${path}`);
    return [answer.status, await answer.text()];
  }

  const isReady = (controller: ControllerProcess) =>
    eventually(async () => expect(await ask(controller, '/readyz')).to.deep.equal([200, 'ok']));

  it('say what EC2 denies as long as it does, in an Event too', async () => {
    stage.ec2.failNext({
      action: 'DescribeNetworkInterfaces',
      code: 'UnauthorizedOperation',
      message: 'You are not authorized to perform this operation.',
      times: 2,
    });
    const controller = stage.start(SERVED);
    await eventually(async () => {
      const [status, text] = await ask(controller, '/readyz');
      expect(status).to.equal(500);
      expect(text).to.match(/^\[-\]ec2 failed: .*DescribeNetworkInterfaces.*not authorized/m);
      expect(text).to.include('Allow the EC2 action in the IAM policy');
    });
    expect(await ask(controller, '/healthz')).to.deep.equal([200, 'ok']);
    await isReady(controller);
    await eventually(async () => {
      const reasons = (await stage.events('kube-system')).map(({ reason }) => reason);
      expect(reasons).to.include.members(['AccessDenied', 'EC2Answers']);
    });
  });

  it('are well where a controller stands by, which reports nothing of the cluster twice', async () => {
    const leader = stage.start(ELECTING);
    await eventually(() => expect(leader.log.map(({ msg }) => msg)).to.include('Started'));
    const standby = stage.start(ELECTING);
    try {
      await isReady(standby);
      const port = await servedPort(standby, 'metrics');
      const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      const metrics = parseMetrics(text);
      const samples = (name: string) => metrics.get(name)?.samples;
      expect(samples('leader_election_master_status')).to.deep.equal([
        { name: 'leader_election_master_status', labels: { name: LEASE.name }, value: 0 },
      ]);
      for (const name of ['eni_attachments', 'eni_blocked']) {
        expect(samples(name), name).to.deep.equal([]);
      }
    } finally {
      await leader.stop();
    }
  });

  it('fail where a standby could not take over, and say why, until it could', async () => {
    const leader = stage.start(ELECTING);
    await isReady(leader);
    stage.ec2.failNext({
      action: 'DescribeNetworkInterfaces',
      code: 'AuthFailure',
      message: 'AWS was not able to validate the provided access credentials',
      times: 1_000,
    });
    const standby = stage.start(ELECTING);
    try {
      await eventually(async () => {
        const [status, text] = await ask(standby, '/readyz');
        expect(status).to.equal(500);
        expect(text).to.match(/^\[-\]ec2 failed: No valid AWS credentials for Describe/m);
        expect(text).to.include('EKS Pod Identity');
      });
      expect(await ask(standby, '/healthz')).to.deep.equal([200, 'ok']);
      stage.ec2.clearFaults();
      await isReady(standby);
    } finally {
      await standby.stop();
      await leader.stop();
    }
  });

  it('keep the process from starting where their address is taken, and say whose it is', async () => {
    const first = stage.start(SERVED);
    const port = await servedPort(first, 'health');
    const second = stage.start({ HEALTH_ADDRESS: `127.0.0.1:${port}` });
    try {
      expect(await second.ended()).to.equal(1);
      const failure = second.log.find(({ msg }) => msg === 'The controller cannot start');
      expect(String(failure?.error)).to.include(
        `HEALTH_ADDRESS=127.0.0.1:${port} is not available: another process listens there`,
      );
    } finally {
      await first.stop();
    }
  });
});
