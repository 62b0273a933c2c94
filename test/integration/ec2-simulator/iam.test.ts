import {
  AttachNetworkInterfaceCommand,
  CreateNetworkInterfaceCommand,
  CreateTagsCommand,
  DeleteNetworkInterfaceCommand,
  DescribeSubnetsCommand,
  DetachNetworkInterfaceCommand,
  ModifyNetworkInterfaceAttributeCommand,
} from '@aws-sdk/client-ec2';
import { expect } from 'chai';
import { DEFAULT_IDS, type PolicyDocument } from '../../../tools/ec2-simulator/index.js';
import { failureOf, Harness } from './harness.js';

const { subnets, groups, vpc } = DEFAULT_IDS;
const ARNS = 'arn:aws:ec2:us-west-2:123456789012:';

const allow = (Action: string, Resource: string | string[] = '*', Condition = {}) => ({
  Effect: 'Allow',
  Action,
  Resource,
  Condition,
});
const policyOf = (...Statement: object[]): PolicyDocument => ({ Version: '2012-10-17', Statement });

describe('IAM policies', () => {
  let harness: Harness;

  beforeEach(async () => {
    harness = await Harness.start();
  });
  afterEach(() => harness.stop());

  const under = (...statements: object[]) => harness.simulator.setPolicy(policyOf(...statements));
  const deleteEni = (id: string) =>
    harness.ec2.send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId: id }));
  /** The resource that the refusal names. */
  const refusedFor = async (call: Promise<unknown>): Promise<string> => {
    const { code, message } = await failureOf(call);
    expect(code, message).to.equal('UnauthorizedOperation');
    return / on resource: (\S+)/.exec(message)?.[1]?.replace(ARNS, '') ?? message;
  };

  it('refuse as EC2 does, with 403, and change nothing', async () => {
    const { id } = harness.simulator.addInterface();
    under(allow('ec2:Describe*'));
    const { code, status, message } = await failureOf(deleteEni(id));
    expect({ code, status }).to.deep.equal({ code: 'UnauthorizedOperation', status: 403 });
    expect(message).to.match(
      /^You are not authorized to perform this operation\. User: arn:aws:sts::123456789012:assumed-role\/\S+ is not authorized to perform: ec2:DeleteNetworkInterface on resource: arn:aws:ec2:us-west-2:123456789012:network-interface\/eni-\w+ because no identity-based policy allows the ec2:DeleteNetworkInterface action\. Encoded authorization failure message: \S+$/,
    );
    expect(harness.simulator.state.enis.map((eni) => eni.id)).to.include(id);
  });

  it('that deny say so', async () => {
    const { id } = harness.simulator.addInterface();
    under(allow('*'), { ...allow('ec2:Delete*'), Effect: 'Deny' });
    const { message } = await failureOf(deleteEni(id));
    expect(message).to.include('with an explicit deny in an identity-based policy');
  });

  it('come before DryRun, which reports them', async () => {
    const { id } = harness.simulator.addInterface();
    const dryRun = new DeleteNetworkInterfaceCommand({ NetworkInterfaceId: id, DryRun: true });
    under(allow('ec2:Describe*'));
    expect((await failureOf(harness.ec2.send(dryRun))).code).to.equal('UnauthorizedOperation');
    under(allow('ec2:DeleteNetworkInterface'));
    expect((await failureOf(harness.ec2.send(dryRun))).code).to.equal('DryRunOperation');
  });

  it('are lifted by none, and by a reset', async () => {
    const call = () => harness.ec2.send(new DescribeSubnetsCommand({}));
    under();
    expect(await refusedFor(call())).to.equal('*');
    harness.simulator.setPolicy(null);
    await call();
    under();
    harness.simulator.reset();
    await call();
  });

  it('are set from outside, and refused there too where they are not understood', async () => {
    const send = (method: string, body?: object) =>
      fetch(`${harness.simulator.url}/_control/policy`, {
        method,
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
    const call = () => harness.ec2.send(new DescribeSubnetsCommand({}));
    expect((await send('POST', [policyOf()])).status).to.equal(200);
    expect(await refusedFor(call())).to.equal('*');
    const wrong = await send('POST', policyOf(allow('*', '*', { Bool: { a: 'b' } })));
    expect(wrong.status).to.equal(400);
    expect(await wrong.json())
      .to.have.property('error')
      .that.includes('operator Bool');
    expect(await refusedFor(call())).to.equal('*');
    expect((await send('DELETE')).status).to.equal(200);
    await call();
  });

  describe('are asked for every resource of a call:', () => {
    const types = (...names: string[]) => names.map((name) => `arn:aws:ec2:*:*:${name}/*`);

    const create = (tags: Record<string, string> = {}) =>
      harness.ec2.send(
        new CreateNetworkInterfaceCommand({
          SubnetId: subnets.net1A,
          Groups: [groups.net1],
          ...(Object.keys(tags).length > 0
            ? {
                TagSpecifications: [
                  {
                    ResourceType: 'network-interface',
                    Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
                  },
                ],
              }
            : {}),
        }),
      );

    it('Create for the ENI to be, its subnet and its groups', async () => {
      const action = 'ec2:CreateNetworkInterface';
      under(allow(action, types('subnet', 'security-group')));
      expect(await refusedFor(create())).to.equal('network-interface/*');
      under(allow(action, types('network-interface', 'security-group')));
      expect(await refusedFor(create())).to.equal(`subnet/${subnets.net1A}`);
      under(allow(action, types('network-interface', 'subnet')));
      expect(await refusedFor(create())).to.equal(`security-group/${groups.net1}`);
      under(allow(action, types('network-interface', 'subnet', 'security-group')));
      await create();
    });

    it('the tags in a Create as a CreateTags, where there are any', async () => {
      under(allow('ec2:CreateNetworkInterface'));
      await create();
      const { message } = await failureOf(create({ a: 'b' }));
      expect(message).to.include('not authorized to perform: ec2:CreateTags');
      const inCreation = { StringEquals: { 'ec2:CreateAction': 'CreateNetworkInterface' } };
      under(allow('ec2:CreateNetworkInterface'), allow('ec2:CreateTags', '*', inCreation));
      const { NetworkInterface: { NetworkInterfaceId: id = '' } = {} } = await create({ a: 'b' });
      const later = new CreateTagsCommand({ Resources: [id], Tags: [{ Key: 'c', Value: 'd' }] });
      expect(await refusedFor(harness.ec2.send(later))).to.equal(`network-interface/${id}`);
    });

    it('Attach, Detach and Modify for the ENI and its instance, Modify for subnet and groups too', async () => {
      const { id: instanceId } = harness.simulator.addInstance();
      const { id } = harness.simulator.addInterface({ subnetId: subnets.net1A });
      const attach = () =>
        harness.ec2.send(
          new AttachNetworkInterfaceCommand({
            NetworkInterfaceId: id,
            InstanceId: instanceId,
            DeviceIndex: 1,
          }),
        );
      const attachment = () =>
        harness.simulator.state.enis.find((eni) => eni.id === id)?.attachment?.id ?? '';
      const modify = () =>
        harness.ec2.send(
          new ModifyNetworkInterfaceAttributeCommand({
            NetworkInterfaceId: id,
            Groups: [groups.net1],
          }),
        );
      const detach = () =>
        harness.ec2.send(new DetachNetworkInterfaceCommand({ AttachmentId: attachment() }));

      for (const call of [attach, modify, detach]) {
        under(allow('*', types('instance', 'subnet', 'security-group')));
        expect(await refusedFor(call())).to.equal(`network-interface/${id}`);
        under(allow('*', types('network-interface', 'subnet', 'security-group')));
        expect(await refusedFor(call())).to.equal(`instance/${instanceId}`);
        if (call === modify) {
          under(allow('*', types('network-interface', 'instance', 'security-group')));
          expect(await refusedFor(call())).to.equal(`subnet/${subnets.net1A}`);
          under(allow('*', types('network-interface', 'instance', 'subnet')));
          expect(await refusedFor(call())).to.equal(`security-group/${groups.net1}`);
        }
        under(allow('*', types('network-interface', 'instance', 'subnet', 'security-group')));
        await call();
      }
    });

    it('CreateTags for each that it names, of whatever type', async () => {
      const { id } = harness.simulator.addInterface();
      const tag = new CreateTagsCommand({ Resources: [id, vpc], Tags: [{ Key: 'a', Value: 'b' }] });
      under(allow('ec2:CreateTags', types('network-interface')));
      expect(await refusedFor(harness.ec2.send(tag))).to.equal(`vpc/${vpc}`);
      expect(harness.simulator.state.enis.find((eni) => eni.id === id)?.tags).to.deep.equal({});
      under(allow('ec2:CreateTags', types('network-interface', 'vpc')));
      await harness.ec2.send(tag);
    });
  });

  it('see of an ENI its tags and its network', async () => {
    const tags = { owner: 'us' };
    const { id } = harness.simulator.addInterface({ subnetId: subnets.net1A, tags });
    for (const condition of [
      { StringEquals: { 'aws:ResourceTag/owner': 'them' } },
      { ArnEquals: { 'ec2:Vpc': `${ARNS}vpc/${DEFAULT_IDS.otherVpc}` } },
      { ArnEquals: { 'ec2:Subnet': `${ARNS}subnet/${subnets.net2A}` } },
      { StringEquals: { 'aws:RequestedRegion': 'eu-west-1' } },
    ]) {
      under(allow('ec2:DeleteNetworkInterface', '*', condition));
      expect(await refusedFor(deleteEni(id))).to.equal(`network-interface/${id}`);
    }
    under(
      allow('ec2:DeleteNetworkInterface', '*', {
        StringEquals: { 'aws:ResourceTag/owner': 'us', 'ec2:ResourceTag/owner': 'us' },
        ArnEquals: {
          'ec2:Vpc': `${ARNS}vpc/${vpc}`,
          'ec2:Subnet': `${ARNS}subnet/${subnets.net1A}`,
        },
      }),
    );
    await deleteEni(id);
  });

  it('that go by tags refuse what is not there, before EC2 says that it is not', async () => {
    const { id } = harness.simulator.addInterface({ tags: { owner: 'us' } });
    harness.simulator.removeInterface(id);
    under(allow('*', '*', { StringEquals: { 'aws:ResourceTag/owner': 'us' } }));
    expect(await refusedFor(deleteEni(id))).to.equal(`network-interface/${id}`);
    under(allow('*'));
    expect((await failureOf(deleteEni(id))).code).to.equal('InvalidNetworkInterfaceID.NotFound');
  });
});
