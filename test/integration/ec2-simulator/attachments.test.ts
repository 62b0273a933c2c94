import {
  AttachNetworkInterfaceCommand,
  type AttachNetworkInterfaceCommandInput,
  CreateNetworkInterfaceCommand,
  type CreateNetworkInterfaceCommandInput,
  DeleteNetworkInterfaceCommand,
  DescribeInstancesCommand,
  DetachNetworkInterfaceCommand,
} from '@aws-sdk/client-ec2';
import { expect } from 'chai';
import { DEFAULT_IDS, type SimulatorState } from '../../../tools/ec2-simulator/index.js';
import { failureOf, Harness, present } from './harness.js';

const { subnets } = DEFAULT_IDS;
const UNKNOWN = `0${'f'.repeat(16)}`;

describe('AttachNetworkInterface and DetachNetworkInterface', () => {
  let harness: Harness;
  let instanceId: string;
  let eniId: string;

  beforeEach(async () => {
    harness = await Harness.start({ transition: { attach: 3_000, detach: 5_000 } });
    instanceId = harness.simulator.addInstance({ type: 't3.medium', zone: 'us-west-2a' }).id;
    eniId = await create();
  });
  afterEach(() => harness.stop());

  async function create(input: Partial<CreateNetworkInterfaceCommandInput> = {}): Promise<string> {
    const { NetworkInterface } = await harness.ec2.send(
      new CreateNetworkInterfaceCommand({ SubnetId: subnets.net1A, ...input }),
    );
    return present(NetworkInterface?.NetworkInterfaceId);
  }

  async function attach(input: Partial<AttachNetworkInterfaceCommandInput> = {}): Promise<string> {
    const answer = await harness.ec2.send(
      new AttachNetworkInterfaceCommand({
        NetworkInterfaceId: eniId,
        InstanceId: instanceId,
        DeviceIndex: 1,
        NetworkCardIndex: 0,
        ...input,
      }),
    );
    return present(answer.AttachmentId);
  }

  const detach = (AttachmentId: string, Force = false) =>
    harness.ec2.send(new DetachNetworkInterfaceCommand({ AttachmentId, Force }));

  const eni = (id = eniId): SimulatorState['enis'][number] =>
    present(harness.simulator.state.enis.find((e) => e.id === id));

  it('attaches some time after the answer, with two statuses of their own', async () => {
    const attachmentId = await attach();
    expect(attachmentId).to.match(/^eni-attach-[0-9a-f]{17}$/);
    expect(eni()).to.deep.include({ status: 'in-use' });
    expect(eni().attachment).to.deep.include({ status: 'attaching', deleteOnTermination: false });

    harness.clock.advance(2_999);
    expect(eni().attachment?.status).to.equal('attaching');
    harness.clock.advance(1);
    expect(eni().attachment).to.deep.include({ status: 'attached', instanceId, deviceIndex: 1 });
  });

  it('settles within the call where transitions take no time', async () => {
    harness.simulator.configure({ transition: { attach: 0, detach: 0 } });
    const attachmentId = await attach();
    expect(eni().attachment?.status).to.equal('attached');
    await detach(attachmentId);
    expect(eni()).to.deep.include({ status: 'available' });
  });

  it("shows the ENI among the instance's", async () => {
    await attach();
    const { Reservations } = await harness.ec2.send(
      new DescribeInstancesCommand({ InstanceIds: [instanceId] }),
    );
    const found = Reservations?.[0]?.Instances?.[0]?.NetworkInterfaces?.map((item) => [
      item.Attachment?.DeviceIndex,
      item.Attachment?.Status,
    ]);
    expect(found).to.deep.equal([
      [0, 'attached'],
      [1, 'attaching'],
    ]);
  });

  it('attaches to a stopped instance', async () => {
    harness.simulator.stopInstance(instanceId);
    await attach();
    expect(eni().status).to.equal('in-use');
  });

  it('accepts an ENI of another VPC in the same zone', async () => {
    eniId = await create({ SubnetId: subnets.otherA });
    await attach();
    expect(eni().attachment?.instanceId).to.equal(instanceId);
  });

  it('has the same device index once on each network card', async () => {
    instanceId = harness.simulator.addInstance({ type: 'c6in.32xlarge', zone: 'us-west-2a' }).id;
    await attach({ NetworkCardIndex: 0 });
    await attach({ NetworkInterfaceId: await create(), NetworkCardIndex: 1 });
    const again = attach({ NetworkInterfaceId: await create(), NetworkCardIndex: 1 });
    expect((await failureOf(again)).message).to.equal(
      `Instance '${instanceId}' already has an interface attached at device index '1'.`,
    );
  });

  it('fills a card up to its limit while another card is empty', async () => {
    instanceId = harness.simulator.addInstance({ type: 'p5.48xlarge', zone: 'us-west-2a' }).id;
    await attach({ DeviceIndex: 1 });
    const third = await create();
    const failure = await failureOf(attach({ NetworkInterfaceId: third, DeviceIndex: 2 }));
    expect(failure.code).to.equal('AttachmentLimitExceeded');
    await attach({ NetworkInterfaceId: third, DeviceIndex: 1, NetworkCardIndex: 31 });
  });

  it('detaches some time after the answer, and holds slot and ENI until then', async () => {
    const attachmentId = await attach();
    harness.clock.advance(3_000);
    await detach(attachmentId);
    expect(eni().attachment?.status).to.equal('detaching');
    const taken = failureOf(attach({ NetworkInterfaceId: await create() }));
    expect((await taken).code).to.equal('InvalidParameterValue');
    expect((await failureOf(attach())).message).to.equal(
      `Network interface '${eniId}' is currently in use.`,
    );

    harness.clock.advance(5_000);
    expect(eni().status).to.equal('available');
    expect((await failureOf(detach(attachmentId))).code).to.equal('InvalidAttachmentID.NotFound');
    await attach();
  });

  it('detaches while still attaching, and does not attach afterwards', async () => {
    await detach(await attach());
    harness.clock.advance(4_000);
    expect(eni().attachment?.status).to.equal('detaching');
    harness.clock.advance(1_000);
    expect(eni().status).to.equal('available');
  });

  it('stays detaching when stalled, until it is forced', async () => {
    const attachmentId = await attach();
    harness.clock.advance(3_000);
    harness.simulator.stallNext({ transition: 'detach', eniId });
    await detach(attachmentId);
    harness.clock.advance(600_000);
    await detach(attachmentId);
    harness.clock.advance(600_000);
    expect(eni().attachment?.status).to.equal('detaching');

    await detach(attachmentId, true);
    harness.clock.advance(5_000);
    expect(eni().status).to.equal('available');
  });

  it('stays attaching when stalled', async () => {
    harness.simulator.stallNext({ transition: 'attach' });
    await attach();
    harness.clock.advance(600_000);
    expect(eni().attachment?.status).to.equal('attaching');
  });

  type Refusal = [title: string, act: () => Promise<unknown>, code: string, message?: string];
  const attachRefusals: Refusal[] = [
    [
      'an unknown ENI',
      () => attach({ NetworkInterfaceId: `eni-${UNKNOWN}` }),
      'InvalidNetworkInterfaceID.NotFound',
      `The networkInterface ID 'eni-${UNKNOWN}' does not exist`,
    ],
    [
      'a malformed ENI id',
      () => attach({ NetworkInterfaceId: 'eni-1' }),
      'InvalidNetworkInterfaceId.Malformed',
      'Invalid id: "eni-1" (expecting "eni-...")',
    ],
    [
      'an unknown instance',
      () => attach({ InstanceId: `i-${UNKNOWN}` }),
      'InvalidInstanceID.NotFound',
      `The instance ID 'i-${UNKNOWN}' does not exist`,
    ],
    ['a malformed instance id', () => attach({ InstanceId: 'i-1' }), 'InvalidInstanceID.Malformed'],
    ['no device index', () => attach({ DeviceIndex: undefined }), 'MissingParameter'],
    ['the slot of the launch ENI', () => attach({ DeviceIndex: 0 }), 'InvalidParameterValue'],
    [
      'a network card that the type lacks',
      () => attach({ NetworkCardIndex: 1 }),
      'InvalidParameterValue',
    ],
    [
      'an ENI of another zone',
      async () => attach({ NetworkInterfaceId: await create({ SubnetId: subnets.net1B }) }),
      'InvalidParameterCombination',
      'You may not attach a network interface to an instance if they are not in the same availability zone',
    ],
    [
      'an EFA interface on a running instance',
      async () => attach({ NetworkInterfaceId: await create({ InterfaceType: 'efa' }) }),
      'IncorrectInstanceState',
    ],
    [
      'more interfaces than the type has',
      async () => {
        await attach();
        await attach({ NetworkInterfaceId: await create(), DeviceIndex: 2 });
        await attach({ NetworkInterfaceId: await create(), DeviceIndex: 3 });
      },
      'AttachmentLimitExceeded',
      'Interface count 4 exceeds the limit for t3.medium',
    ],
    [
      'an ENI that is attached already',
      async () => {
        await attach();
        await attach({ DeviceIndex: 2 });
      },
      'InvalidParameterValue',
    ],
  ];
  for (const [title, act, code, message] of attachRefusals) {
    it(`refuses to attach ${title}: ${code}`, async () => {
      const failure = await failureOf(act());
      expect(failure.code).to.equal(code);
      if (message !== undefined) {
        expect(failure.message).to.equal(message);
      }
    });
  }

  it('refuses to attach more addresses than the type has', async () => {
    const id = await create({ SecondaryPrivateIpAddressCount: 6 });
    expect(await failureOf(attach({ NetworkInterfaceId: id }))).to.deep.include({
      code: 'InvalidInterface.IpAddressLimitExceeded',
      message: `Address count 7 on interface-${id.slice(4)} exceeds the limit for t3.medium`,
    });
  });

  const states = [
    ['pending', 'IncorrectState'],
    ['stopping', 'IncorrectState'],
    ['shutting-down', 'IncorrectState'],
    ['terminated', 'IncorrectInstanceState'],
  ] as const;
  for (const [state, code] of states) {
    it(`refuses to attach to an instance that is ${state}: ${code}`, async () => {
      harness.simulator.setInstanceState(instanceId, state);
      expect((await failureOf(attach())).code).to.equal(code);
    });
  }

  it('refuses to detach what is unknown or malformed', async () => {
    expect(await failureOf(detach(`eni-attach-${UNKNOWN}`))).to.deep.include({
      code: 'InvalidAttachmentID.NotFound',
      message: `The interface attachment 'eni-attach-${UNKNOWN}' does not exist.`,
    });
    expect((await failureOf(detach('eni-attach-1'))).code).to.equal(
      'InvalidNetworkInterfaceAttachmentId.Malformed',
    );
  });

  it('never detaches the launch ENI, even by force', async () => {
    const launch = present(
      harness.simulator.state.enis.find((item) => item.attachment?.deviceIndex === 0),
    );
    const failure = await failureOf(detach(present(launch.attachment).id, true));
    expect(failure).to.deep.include({
      code: 'OperationNotPermitted',
      message:
        'The network interface at device index 0 and networkCard index 0 cannot be detached.',
    });
  });

  it("never detaches or deletes a load balancer's ENI", async () => {
    const managed = harness.simulator.addInterface({ requesterManaged: true, attachment: {} });
    const attachmentId = present(managed.attachment).id;
    expect(attachmentId).to.match(/^ela-attach-/);
    expect(await failureOf(detach(attachmentId, true))).to.deep.include({
      code: 'OperationNotPermitted',
      message: "You are not allowed to manage 'ela-attach' attachments.",
    });
    const deletion = harness.ec2.send(
      new DeleteNetworkInterfaceCommand({ NetworkInterfaceId: managed.id }),
    );
    expect((await failureOf(deletion)).message).to.equal(
      `Network interface '${managed.id}' is currently in use.`,
    );
  });
});
