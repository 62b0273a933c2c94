import {
  AssignIpv6AddressesCommand,
  AssignPrivateIpAddressesCommand,
  AttachNetworkInterfaceCommand,
  CreateTagsCommand,
  DeleteNetworkInterfaceCommand,
  DeleteTagsCommand,
  ModifyNetworkInterfaceAttributeCommand,
  type ModifyNetworkInterfaceAttributeCommandInput,
  UnassignIpv6AddressesCommand,
  UnassignPrivateIpAddressesCommand,
} from '@aws-sdk/client-ec2';
import { expect } from 'chai';
import { DEFAULT_IDS, type Eni } from '../../../tools/ec2-simulator/index.js';
import { failureOf, Harness, present } from './harness.js';

const { subnets, groups } = DEFAULT_IDS;
const UNKNOWN_ENI = `eni-0${'f'.repeat(16)}`;

describe('Changes to an ENI', () => {
  let harness: Harness;
  let instanceId: string;
  let id: string;

  beforeEach(async () => {
    harness = await Harness.start();
    instanceId = harness.simulator.addInstance({ type: 't3.micro', zone: 'us-west-2a' }).id;
    id = harness.simulator.addInterface({ subnetId: subnets.net1A }).id;
  });
  afterEach(() => harness.stop());

  const eni = (): Eni => present(harness.simulator.state.enis.find((item) => item.id === id));

  async function attach(): Promise<string> {
    const { AttachmentId } = await harness.ec2.send(
      new AttachNetworkInterfaceCommand({
        NetworkInterfaceId: id,
        InstanceId: instanceId,
        DeviceIndex: 1,
      }),
    );
    return present(AttachmentId);
  }

  describe('ModifyNetworkInterfaceAttribute', () => {
    const modify = (
      input: Omit<ModifyNetworkInterfaceAttributeCommandInput, 'NetworkInterfaceId'>,
    ) =>
      harness.ec2.send(
        new ModifyNetworkInterfaceAttributeCommand({ NetworkInterfaceId: id, ...input }),
      );

    it('sets each attribute', async () => {
      const AttachmentId = await attach();
      await modify({ Groups: [groups.nodes, groups.net1] });
      await modify({ Description: { Value: 'new' } });
      await modify({ SourceDestCheck: { Value: false } });
      await modify({ Attachment: { AttachmentId, DeleteOnTermination: true } });
      expect(eni()).to.deep.include({
        groupIds: [groups.nodes, groups.net1],
        description: 'new',
        sourceDestCheck: false,
      });
      expect(eni().attachment?.deleteOnTermination).to.equal(true);
    });

    it('takes one attribute a call', async () => {
      const both = modify({ Description: { Value: 'new' }, SourceDestCheck: { Value: false } });
      expect((await failureOf(both)).code).to.equal('InvalidParameterCombination');
      expect((await failureOf(modify({}))).code).to.equal('InvalidParameterCombination');
      expect(eni()).to.deep.include({ description: '', sourceDestCheck: true });
    });

    it('refuses unknown groups, foreign ones and too many', async () => {
      harness.simulator.configure({ quota: { groupsPerInterface: 1 } });
      const unknown = modify({ Groups: [`sg-0${'f'.repeat(16)}`] });
      expect((await failureOf(unknown)).code).to.equal('InvalidGroup.NotFound');
      expect((await failureOf(modify({ Groups: [groups.other] }))).code).to.equal(
        'InvalidParameter',
      );
      expect((await failureOf(modify({ Groups: [groups.nodes, groups.net1] }))).code).to.equal(
        'SecurityGroupsPerInterfaceLimitExceeded',
      );
    });

    it('refuses the attachment of another ENI', async () => {
      const AttachmentId = await attach();
      id = harness.simulator.addInterface().id;
      const failure = await failureOf(
        modify({ Attachment: { AttachmentId, DeleteOnTermination: true } }),
      );
      expect(failure.code).to.equal('InvalidAttachmentID.NotFound');
    });
  });

  describe('DeleteNetworkInterface', () => {
    const remove = (NetworkInterfaceId = id) =>
      harness.ec2.send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId }));

    it('deletes an ENI that is free, once', async () => {
      await remove();
      expect(harness.simulator.state.enis.some((item) => item.id === id)).to.equal(false);
      expect(await failureOf(remove())).to.deep.include({
        code: 'InvalidNetworkInterfaceID.NotFound',
        message: `The networkInterface ID '${id}' does not exist`,
      });
    });

    it('refuses an ENI that is in use', async () => {
      await attach();
      expect(await failureOf(remove())).to.deep.include({
        code: 'InvalidParameterValue',
        message: `Network interface '${id}' is currently in use.`,
      });
    });

    it('refuses a malformed id', async () => {
      expect((await failureOf(remove('x'))).code).to.equal('InvalidNetworkInterfaceId.Malformed');
    });
  });

  describe('CreateTags and DeleteTags', () => {
    const tag = (Resources: string[], Key: string, Value: string) =>
      harness.ec2.send(new CreateTagsCommand({ Resources, Tags: [{ Key, Value }] }));
    const untag = (Key: string, Value?: string) =>
      harness.ec2.send(
        new DeleteTagsCommand({
          Resources: [id],
          Tags: [Value === undefined ? { Key } : { Key, Value }],
        }),
      );

    it('adds, replaces and removes tags', async () => {
      await tag([id, instanceId, subnets.net1A, groups.net1], 'owner', 'a');
      await tag([id], 'owner', 'b');
      expect(eni().tags).to.deep.equal({ owner: 'b' });
      expect(harness.simulator.state.instances[0]?.tags).to.deep.equal({ owner: 'a' });

      await untag('owner', 'another value');
      expect(eni().tags).to.deep.equal({ owner: 'b' });
      await untag('owner', 'b');
      expect(eni().tags).to.deep.equal({});
    });

    it('tags nothing when one of the resources is unknown', async () => {
      const failure = await failureOf(tag([id, UNKNOWN_ENI], 'owner', 'a'));
      expect(failure.code).to.equal('InvalidNetworkInterfaceID.NotFound');
      expect(eni().tags).to.deep.equal({});
      expect((await failureOf(tag(['vol-1'], 'owner', 'a'))).code).to.equal('InvalidID');
    });

    it('refuses keys and values that EC2 would not have', async () => {
      for (const [key, value] of [
        ['aws:x', ''],
        ['k'.repeat(129), ''],
        ['k', 'v'.repeat(257)],
      ] as const) {
        expect((await failureOf(tag([id], key, value))).code).to.equal('InvalidParameterValue');
      }
    });

    it('refuses the 51st tag', async () => {
      const fifty = Array.from({ length: 50 }, (_, i) => ({ Key: `k${i}`, Value: '' }));
      await harness.ec2.send(new CreateTagsCommand({ Resources: [id], Tags: fifty }));
      expect((await failureOf(tag([id], 'one more', ''))).code).to.equal('TagLimitExceeded');
    });
  });

  describe('Addresses', () => {
    it('assigns IPv4 addresses and takes them back', async () => {
      const { AssignedPrivateIpAddresses } = await harness.ec2.send(
        new AssignPrivateIpAddressesCommand({
          NetworkInterfaceId: id,
          SecondaryPrivateIpAddressCount: 1,
        }),
      );
      const address = present(AssignedPrivateIpAddresses?.[0]?.PrivateIpAddress);
      expect(eni().privateIpAddresses).to.deep.equal(['10.0.64.4', address]);

      const unassign = (PrivateIpAddresses: string[]) =>
        harness.ec2.send(
          new UnassignPrivateIpAddressesCommand({ NetworkInterfaceId: id, PrivateIpAddresses }),
        );
      expect((await failureOf(unassign(['10.0.64.4']))).code).to.equal('InvalidParameterValue');
      await unassign([address]);
      expect(eni().privateIpAddresses).to.deep.equal(['10.0.64.4']);
    });

    it('assigns IPv6 addresses and takes them back', async () => {
      const { AssignedIpv6Addresses } = await harness.ec2.send(
        new AssignIpv6AddressesCommand({ NetworkInterfaceId: id, Ipv6AddressCount: 1 }),
      );
      const [address] = present(AssignedIpv6Addresses);
      expect(eni().ipv6Addresses).to.deep.equal([address]);
      await harness.ec2.send(
        new UnassignIpv6AddressesCommand({
          NetworkInterfaceId: id,
          Ipv6Addresses: [present(address)],
        }),
      );
      expect(eni().ipv6Addresses).to.deep.equal([]);
    });

    it('keeps to what the instance type can carry', async () => {
      await attach();
      const assign = (SecondaryPrivateIpAddressCount: number) =>
        harness.ec2.send(
          new AssignPrivateIpAddressesCommand({
            NetworkInterfaceId: id,
            SecondaryPrivateIpAddressCount,
          }),
        );
      await assign(1);
      expect((await failureOf(assign(1))).code).to.equal('PrivateIpAddressLimitExceeded');
    });
  });
});
