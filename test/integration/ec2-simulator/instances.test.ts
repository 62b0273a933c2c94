import {
  AttachNetworkInterfaceCommand,
  DescribeInstancesCommand,
  ModifyNetworkInterfaceAttributeCommand,
} from '@aws-sdk/client-ec2';
import { expect } from 'chai';
import type { Instance } from '../../../tools/ec2-simulator/index.js';
import { failureOf, Harness, present } from './harness.js';

describe('The end of an instance', () => {
  let harness: Harness;
  let instance: Instance;
  let keptId: string;
  let endingId: string;

  beforeEach(async () => {
    harness = await Harness.start({ transition: { detach: 5_000 } });
    instance = harness.simulator.addInstance();
    keptId = await attached(1);
    endingId = await attached(2);
    const ending = harness.simulator.state.enis.find(({ id }) => id === endingId);
    await harness.ec2.send(
      new ModifyNetworkInterfaceAttributeCommand({
        NetworkInterfaceId: endingId,
        Attachment: { AttachmentId: ending?.attachment?.id, DeleteOnTermination: true },
      }),
    );
  });
  afterEach(() => harness.stop());

  async function attached(DeviceIndex: number): Promise<string> {
    const { id } = harness.simulator.addInterface();
    await harness.ec2.send(
      new AttachNetworkInterfaceCommand({
        NetworkInterfaceId: id,
        InstanceId: instance.id,
        DeviceIndex,
      }),
    );
    return id;
  }

  const status = (id: string) => harness.simulator.state.enis.find((eni) => eni.id === id)?.status;

  async function instanceState(): Promise<string | undefined> {
    const { Reservations } = await harness.ec2.send(
      new DescribeInstancesCommand({ InstanceIds: [instance.id] }),
    );
    return present(Reservations)[0]?.Instances?.[0]?.State?.Name;
  }

  it('frees the ENIs that outlive it, and deletes the others, after a while', async () => {
    harness.simulator.terminateInstance(instance.id);
    expect(await instanceState()).to.equal('shutting-down');
    expect([status(keptId), status(endingId)]).to.deep.equal(['in-use', 'in-use']);

    harness.clock.advance(5_000);
    expect(await instanceState()).to.equal('terminated');
    expect([status(keptId), status(endingId)]).to.deep.equal(['available', undefined]);
    expect(harness.simulator.state.enis.map(({ id }) => id)).to.deep.equal([keptId]);
  });

  it('is unknown once it is forgotten', async () => {
    harness.simulator.forgetInstance(instance.id);
    const failure = await failureOf(instanceState());
    expect(failure.code).to.equal('InvalidInstanceID.NotFound');
  });

  it('gives the addresses of the deleted ENIs back', () => {
    const free = () => present(harness.simulator.state.subnets[0]).availableAddresses;
    const before = free();
    harness.simulator.terminateInstance(instance.id);
    harness.clock.advance(5_000);
    expect(free()).to.equal(before + 2);
  });
});
