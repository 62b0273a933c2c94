import {
  AttachNetworkInterfaceCommand,
  CreateNetworkInterfaceCommand,
  DescribeVpcsCommand,
  DetachNetworkInterfaceCommand,
  type EC2Client,
} from '@aws-sdk/client-ec2';
import { expect } from 'chai';
import { DEFAULT_IDS } from '../../../tools/ec2-simulator/index.js';
import { clientOf, failureOf, Harness, present } from './harness.js';

describe('Planned failures', () => {
  let harness: Harness;

  beforeEach(async () => {
    harness = await Harness.start();
  });
  afterEach(() => harness.stop());

  const create = (ec2: EC2Client = harness.ec2) =>
    ec2.send(new CreateNetworkInterfaceCommand({ SubnetId: DEFAULT_IDS.subnets.net1A }));
  const made = (): number => harness.simulator.state.enis.length;

  it('fails the next calls of the action before they do anything, as many as planned', async () => {
    harness.simulator.failNext({
      action: 'CreateNetworkInterface',
      code: 'UnauthorizedOperation',
      message: 'You are not authorized to perform this operation.',
      times: 2,
    });
    await harness.ec2.send(new DescribeVpcsCommand({}));
    for (let i = 0; i < 2; i++) {
      expect(await failureOf(create())).to.deep.equal({
        code: 'UnauthorizedOperation',
        message: 'You are not authorized to perform this operation.',
        status: 403,
      });
    }
    expect(made()).to.equal(0);
    await create();
    expect(made()).to.equal(1);
  });

  it('fails after the call has taken effect, where so planned', async () => {
    harness.simulator.failNext({
      action: 'CreateNetworkInterface',
      code: 'InternalError',
      when: 'after',
    });
    expect(await failureOf(create())).to.deep.include({ code: 'InternalError', status: 500 });
    expect(made()).to.equal(1);
  });

  it('fails any action, with any status, where so planned', async () => {
    harness.simulator.failNext({ action: '*', code: 'Unavailable', httpStatus: 502 });
    expect(await failureOf(harness.ec2.send(new DescribeVpcsCommand({})))).to.deep.include({
      code: 'Unavailable',
      status: 502,
    });
  });

  it('cuts the connection after the call has taken effect', async () => {
    harness.simulator.loseNextAnswer({ action: 'CreateNetworkInterface' });
    expect((await failureOf(create())).message).to.match(/socket hang up|ECONNRESET/);
    expect(made()).to.equal(1);
  });

  it('cuts the connection before the call takes effect, where so planned', async () => {
    harness.simulator.loseNextAnswer({ action: 'CreateNetworkInterface', when: 'before' });
    await failureOf(create());
    expect(made()).to.equal(0);
  });

  it("meets the SDK's own retry with the same token, so that one ENI is made", async () => {
    const retrying = clientOf(harness.simulator.url, { maxAttempts: 2 });
    harness.simulator.loseNextAnswer({ action: 'CreateNetworkInterface' });
    await create(retrying);
    expect(harness.simulator.calls().byAction.CreateNetworkInterface).to.deep.equal({
      lost: 1,
      ok: 1,
    });
    expect(made()).to.equal(1);
    retrying.destroy();
  });

  it('distinguishes calls by their instance and their ENI, also by attachment id', async () => {
    const [one, two] = [harness.simulator.addInstance(), harness.simulator.addInstance()];
    const attach = async (InstanceId: string): Promise<string> => {
      const { NetworkInterface } = await create();
      const { AttachmentId } = await harness.ec2.send(
        new AttachNetworkInterfaceCommand({
          NetworkInterfaceId: NetworkInterface?.NetworkInterfaceId,
          InstanceId,
          DeviceIndex: 1,
        }),
      );
      return present(AttachmentId);
    };
    harness.simulator.failNext({
      action: 'AttachNetworkInterface',
      code: 'InternalError',
      instanceId: two.id,
    });
    const attachmentId = await attach(one.id);
    expect((await failureOf(attach(two.id))).code).to.equal('InternalError');

    const eniId = harness.simulator.state.enis.find(
      (eni) => eni.attachment?.id === attachmentId,
    )?.id;
    harness.simulator.failNext({ code: 'InternalError', eniId: present(eniId) });
    await create();
    const detach = new DetachNetworkInterfaceCommand({ AttachmentId: attachmentId });
    expect((await failureOf(harness.ec2.send(detach))).code).to.equal('InternalError');
  });

  it('drops what is planned when told so', async () => {
    harness.simulator.failNext({ code: 'InternalError' });
    harness.simulator.clearFaults();
    await create();
  });

  it('refuses actions that it does not know', async () => {
    const response = await fetch(harness.simulator.url, {
      method: 'POST',
      body: 'Action=toString',
    });
    expect(response.status).to.equal(400);
    expect(await response.text()).to.include('<Code>InvalidAction</Code>');
  });
});

describe('Latency', () => {
  it('delays the answer, not the effect', async () => {
    const harness = await Harness.start({
      callLatency: { CreateNetworkInterface: 300, default: 0 },
    });
    let answered = false;
    const call = harness.ec2
      .send(new CreateNetworkInterfaceCommand({ SubnetId: DEFAULT_IDS.subnets.net1A }))
      .then(() => {
        answered = true;
      });
    while (harness.simulator.calls().total === 0) {
      await new Promise(setImmediate);
    }
    expect(harness.simulator.state.enis).to.have.length(1);
    harness.clock.advance(299);
    await harness.ec2.send(new DescribeVpcsCommand({}));
    expect(answered).to.equal(false);

    harness.clock.advance(1);
    await call;
    await harness.stop();
  });
});
