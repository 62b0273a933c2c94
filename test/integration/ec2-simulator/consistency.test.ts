import {
  AttachNetworkInterfaceCommand,
  CreateNetworkInterfaceCommand,
  CreateTagsCommand,
  DeleteNetworkInterfaceCommand,
  DescribeInstancesCommand,
  DescribeNetworkInterfacesCommand,
  type NetworkInterface,
} from '@aws-sdk/client-ec2';
import { expect } from 'chai';
import { DEFAULT_IDS } from '../../../tools/ec2-simulator/index.js';
import { failureOf, Harness, present } from './harness.js';

describe('Eventual consistency', () => {
  let harness: Harness;
  let instanceId: string;

  beforeEach(async () => {
    harness = await Harness.start();
    instanceId = harness.simulator.addInstance().id;
  });
  afterEach(() => harness.stop());

  async function create(): Promise<string> {
    const { NetworkInterface } = await harness.ec2.send(
      new CreateNetworkInterfaceCommand({
        SubnetId: DEFAULT_IDS.subnets.net1A,
        ClientToken: 'token',
        TagSpecifications: [
          { ResourceType: 'network-interface', Tags: [{ Key: 'owner', Value: 'tests' }] },
        ],
      }),
    );
    return present(NetworkInterface?.NetworkInterfaceId);
  }

  async function list(): Promise<NetworkInterface[]> {
    const { NetworkInterfaces } = await harness.ec2.send(
      new DescribeNetworkInterfacesCommand({
        Filters: [{ Name: 'tag:owner', Values: ['tests'] }],
      }),
    );
    return present(NetworkInterfaces);
  }

  const attach = (NetworkInterfaceId: string) =>
    harness.ec2.send(
      new AttachNetworkInterfaceCommand({
        NetworkInterfaceId,
        InstanceId: instanceId,
        DeviceIndex: 1,
      }),
    );

  it('hides a fresh ENI from reads and from writes by its id', async () => {
    harness.simulator.configure({ consistency: { newInvisibleMs: 500 } });
    const id = await create();
    const notFound = 'InvalidNetworkInterfaceID.NotFound';
    const byId = new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: [id] });
    const tag = new CreateTagsCommand({ Resources: [id], Tags: [{ Key: 'a', Value: 'b' }] });
    const remove = new DeleteNetworkInterfaceCommand({ NetworkInterfaceId: id });

    harness.clock.advance(499);
    expect(await list()).to.deep.equal([]);
    expect((await failureOf(harness.ec2.send(byId))).code).to.equal(notFound);
    expect((await failureOf(harness.ec2.send(tag))).code).to.equal(notFound);
    expect((await failureOf(attach(id))).code).to.equal(notFound);
    expect((await failureOf(harness.ec2.send(remove))).code).to.equal(notFound);

    harness.clock.advance(1);
    expect(await list()).to.have.length(1);
    await harness.ec2.send(tag);
    await attach(id);
  });

  it('still knows the token of an ENI that it hides', async () => {
    harness.simulator.configure({ consistency: { newInvisibleMs: 500 } });
    expect(await create()).to.equal(await create());
  });

  it('reads an earlier state for a while, and then each later one in turn', async () => {
    harness.simulator.configure({
      consistency: { staleReadMs: 300 },
      transition: { attach: 200 },
    });
    const id = await create();
    harness.clock.advance(1_000);
    await attach(id);
    const seen: unknown[] = [];
    for (const step of [0, 200, 99, 1, 199, 1]) {
      harness.clock.advance(step);
      seen.push((await list()).map((eni) => [eni.Status, eni.Attachment?.Status]));
    }
    expect(seen).to.deep.equal([
      [['available', undefined]],
      [['available', undefined]],
      [['available', undefined]],
      [['in-use', 'attaching']],
      [['in-use', 'attaching']],
      [['in-use', 'attached']],
    ]);
  });

  it('lags within the answer of DescribeInstances, too', async () => {
    harness.simulator.configure({ consistency: { staleReadMs: 300 } });
    const id = await create();
    harness.clock.advance(1_000);
    await attach(id);
    const interfaces = async (): Promise<number | undefined> => {
      const { Reservations } = await harness.ec2.send(
        new DescribeInstancesCommand({ InstanceIds: [instanceId] }),
      );
      return Reservations?.[0]?.Instances?.[0]?.NetworkInterfaces?.length;
    };
    expect(await interfaces()).to.equal(1);
    harness.clock.advance(300);
    expect(await interfaces()).to.equal(2);
  });

  it('acts upon the real state while reads lag', async () => {
    harness.simulator.configure({ consistency: { staleReadMs: 300 } });
    const id = await create();
    harness.clock.advance(1_000);
    await attach(id);
    expect((await list())[0]?.Status).to.equal('available');
    const remove = new DeleteNetworkInterfaceCommand({ NetworkInterfaceId: id });
    expect((await failureOf(harness.ec2.send(remove))).code).to.equal('InvalidParameterValue');
  });

  it('shows a deleted ENI for a while, which a second delete does not find', async () => {
    harness.simulator.configure({ consistency: { staleReadMs: 300 } });
    const id = await create();
    harness.clock.advance(1_000);
    const remove = new DeleteNetworkInterfaceCommand({ NetworkInterfaceId: id });
    await harness.ec2.send(remove);
    expect(await list()).to.have.length(1);
    expect((await failureOf(harness.ec2.send(remove))).code).to.equal(
      'InvalidNetworkInterfaceID.NotFound',
    );
    harness.clock.advance(300);
    expect(await list()).to.deep.equal([]);
  });
});
