import { DescribeVpcsCommand } from '@aws-sdk/client-ec2';
import { expect } from 'chai';
import { ControlError, SimulatorControl } from '../../../tools/ec2-simulator/index.js';
import { failureOf, Harness, present } from './harness.js';

describe('The control endpoint', () => {
  let harness: Harness;
  let control: SimulatorControl;

  beforeEach(async () => {
    harness = await Harness.start();
    control = new SimulatorControl(harness.simulator.url);
  });
  afterEach(() => harness.stop());

  const describeVpcs = () => harness.ec2.send(new DescribeVpcsCommand({}));

  async function refusal(call: Promise<unknown>): Promise<string> {
    const error = await call.then(
      () => expect.fail('the request was accepted'),
      (err: unknown) => err,
    );
    expect(error).to.be.instanceOf(ControlError);
    return (error as ControlError).message;
  }

  it('adds, stops, terminates and forgets instances', async () => {
    const { id } = await control.addInstance({ zone: 'us-west-2b', name: 'node-1' });
    const state = async () => (await control.state()).instances[0]?.state;
    await control.setInstanceState(id, 'stopped');
    expect(await state()).to.equal('stopped');
    await control.terminateInstance(id);
    expect(await state()).to.equal('terminated');
    await control.forgetInstance(id);
    expect(await state()).to.equal(undefined);
  });

  it("makes, tags, detaches and removes another program's ENIs", async () => {
    const instance = await control.addInstance();
    const { id } = await control.addInterface({
      attachment: { instanceId: instance.id, deviceIndex: 1 },
    });
    const eni = async () => (await control.state()).enis.find((item) => item.id === id);
    await control.setTags({ resourceIds: [id], tags: { owner: 'another' } });
    expect(await eni()).to.deep.include({ status: 'in-use', tags: { owner: 'another' } });
    await control.detachInterface(id);
    expect((await eni())?.status).to.equal('available');
    await control.removeInterface(id);
    expect(await eni()).to.equal(undefined);
  });

  it('plans failures and lost answers, and drops them', async () => {
    await control.failNext({ action: 'DescribeVpcs', code: 'InternalError' });
    await control.loseNextAnswer({ action: 'DescribeVpcs' });
    expect((await failureOf(describeVpcs())).code).to.equal('InternalError');
    expect((await failureOf(describeVpcs())).code).to.not.equal('InternalError');
    await control.failNext({ code: 'InternalError' });
    await control.clearFaults();
    await describeVpcs();
  });

  it('counts calls by action and outcome', async () => {
    await control.failNext({ code: 'InternalError' });
    await failureOf(describeVpcs());
    await describeVpcs();
    expect(await control.calls()).to.deep.equal({
      total: 2,
      byAction: { DescribeVpcs: { InternalError: 1, ok: 1 } },
    });
    expect((await control.recentCalls()).map(({ outcome }) => outcome)).to.deep.equal([
      'InternalError',
      'ok',
    ]);
    await control.resetCounts();
    expect((await control.calls()).total).to.equal(0);
  });

  it('changes settings while it runs', async () => {
    await control.configure({ throttling: { scale: 0.01 } });
    await control.setLatency({ default: 0 });
    await describeVpcs();
    expect((await failureOf(describeVpcs())).code).to.equal('RequestLimitExceeded');
  });

  it('adds subnets in new zones, and stalls transitions', async () => {
    const { vpcs } = await control.state();
    const subnet = await control.addSubnet({
      vpcId: present(vpcs[0]).id,
      zone: 'us-west-2c',
      cidr: '10.0.200.0/24',
      name: 'net3',
    });
    const instance = await control.addInstance({ zone: 'us-west-2c' });
    expect(instance.subnetId).to.equal(subnet.id);
    await control.stallNext({ transition: 'detach', instanceId: instance.id });
  });

  it('goes back to the start', async () => {
    const before = await control.state();
    await control.addInstance();
    await control.failNext({ code: 'InternalError' });
    await control.reset();
    expect(await control.state()).to.deep.equal(before);
    await describeVpcs();
  });

  it('refuses what it does not understand, and says why', async () => {
    const unknown = control.addInstance(JSON.parse('{"nmae":"node-1"}'));
    expect(await refusal(unknown)).to.include('nmae should not exist');
    const nested = control.addInstance(JSON.parse('{"extraInterfaces":[{"deviceIndex":-1}]}'));
    expect(await refusal(nested)).to.include('deviceIndex must not be less than 0');
    const slow = control.setLatency(JSON.parse('{"default":"slow"}'));
    expect(await refusal(slow)).to.include('callLatency must be an object of milliseconds');
    expect(await refusal(control.terminateInstance('i-1'))).to.include("'i-1' does not exist");
    expect(await refusal(control.addInstance({ type: 'x9.huge' }))).to.include('x9.huge');
    expect((await fetch(`${harness.simulator.url}/_control/nothing`)).status).to.equal(404);
  });
});
