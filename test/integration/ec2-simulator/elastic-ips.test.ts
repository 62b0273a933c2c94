import {
  AssociateAddressCommand,
  type AssociateAddressCommandInput,
  DeleteNetworkInterfaceCommand,
  DescribeAddressesCommand,
  type DescribeAddressesCommandInput,
  DescribeNetworkInterfacesCommand,
  DisassociateAddressCommand,
} from '@aws-sdk/client-ec2';
import { expect } from 'chai';
import { DEFAULT_IDS, type ElasticIp } from '../../../tools/ec2-simulator/index.js';
import { failureOf, Harness, present } from './harness.js';

const { subnets } = DEFAULT_IDS;

describe('Elastic IP addresses', () => {
  let harness: Harness;
  let eniId: string;
  let edge: ElasticIp;
  let other: ElasticIp;

  beforeEach(async () => {
    harness = await Harness.start();
    const { simulator } = harness;
    eniId = simulator.addInterface({ subnetId: subnets.net1A }).id;
    edge = simulator.addElasticIp({ tags: { team: 'edge' } });
    other = simulator.addElasticIp({ pool: 'ipv4pool-ec2-0123456789abcdef0' });
  });
  afterEach(() => harness.stop());

  const associate = (input: AssociateAddressCommandInput = {}) =>
    harness.ec2.send(
      new AssociateAddressCommand({
        NetworkInterfaceId: eniId,
        AllocationId: edge.id,
        AllowReassociation: false,
        ...input,
      }),
    );
  const disassociate = (AssociationId: string) =>
    harness.ec2.send(new DisassociateAddressCommand({ AssociationId }));
  const describeAddresses = async (input: DescribeAddressesCommandInput = {}) =>
    (await harness.ec2.send(new DescribeAddressesCommand(input))).Addresses ?? [];
  const theInterface = async () => {
    const NetworkInterfaceIds = [eniId];
    const { NetworkInterfaces } = await harness.ec2.send(
      new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds }),
    );
    return present(NetworkInterfaces?.[0]);
  };

  it('are listed with pool and tags, and by filters', async () => {
    expect((await describeAddresses()).map(({ AllocationId }) => AllocationId)).to.deep.equal([
      edge.id,
      other.id,
    ]);
    const [found] = await describeAddresses({ Filters: [{ Name: 'tag:team', Values: ['edge'] }] });
    expect(found).to.deep.include({
      AllocationId: edge.id,
      PublicIp: edge.publicIp,
      PublicIpv4Pool: 'amazon',
      Tags: [{ Key: 'team', Value: 'edge' }],
    });
    const failure = await failureOf(
      describeAddresses({ AllocationIds: [`eipalloc-0${'f'.repeat(16)}`] }),
    );
    expect(failure.code).to.equal('InvalidAllocationID.NotFound');
  });

  it('are associated with the primary private address, which the ENI and the address show', async () => {
    const { AssociationId } = await associate();
    const eni = await theInterface();
    const association = { AllocationId: edge.id, AssociationId, PublicIp: edge.publicIp };
    expect(eni.Association).to.include(association);
    expect(eni.PrivateIpAddresses?.[0]?.Association).to.include(association);
    const [address] = await describeAddresses({
      Filters: [{ Name: 'network-interface-id', Values: [eniId] }],
    });
    expect(address).to.include({
      AssociationId,
      NetworkInterfaceId: eniId,
      PrivateIpAddress: eni.PrivateIpAddress,
    });
    expect(harness.simulator.state.elasticIps[0]?.association).to.include({ eniId });
  });

  it('give the same association again, and are not taken from another ENI', async () => {
    const { AssociationId } = await associate();
    expect((await associate()).AssociationId).to.equal(AssociationId);
    const second = harness.simulator.addInterface({ subnetId: subnets.net1A }).id;
    const failure = await failureOf(associate({ NetworkInterfaceId: second }));
    expect(failure.code).to.equal('Resource.AlreadyAssociated');
    expect(failure.message).to.equal(
      `resource ${edge.id} is already associated with associate-id ${AssociationId}`,
    );
    await associate({ NetworkInterfaceId: second, AllowReassociation: true });
    expect((await theInterface()).Association).to.equal(undefined);
  });

  it('replace the address that the private address had', async () => {
    await associate();
    await associate({ AllocationId: other.id });
    expect((await theInterface()).Association?.PublicIp).to.equal(other.publicIp);
    const [first] = harness.simulator.state.elasticIps;
    expect(first).not.to.have.property('association');
  });

  it('are disassociated by the id of the association, once', async () => {
    const AssociationId = present((await associate()).AssociationId);
    await disassociate(AssociationId);
    expect((await theInterface()).Association).to.equal(undefined);
    const failure = await failureOf(disassociate(AssociationId));
    expect(failure.code).to.equal('InvalidAssociationID.NotFound');
  });

  it('become free with the ENI', async () => {
    await associate();
    await harness.ec2.send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId: eniId }));
    const [address] = await describeAddresses();
    expect(address?.AssociationId).to.equal(undefined);
    expect(address?.AllocationId).to.equal(edge.id);
  });

  it('need an internet gateway, and an address of the account', async () => {
    const NetworkInterfaceId = harness.simulator.addInterface({ subnetId: subnets.otherA }).id;
    const closed = await failureOf(associate({ NetworkInterfaceId }));
    expect(closed.code).to.equal('Gateway.NotAttached');
    expect(closed.message).to.include(DEFAULT_IDS.otherVpc);
    const unknown = await failureOf(associate({ AllocationId: `eipalloc-0${'f'.repeat(16)}` }));
    expect(unknown.code).to.equal('InvalidAllocationID.NotFound');
  });

  it('show their association as late as reads lag', async () => {
    harness.simulator.configure({ consistency: { staleReadMs: 1_000 } });
    harness.clock.advance(1_000);
    await associate();
    expect((await theInterface()).Association).to.equal(undefined);
    expect((await describeAddresses())[0]?.AssociationId).to.equal(undefined);
    harness.clock.advance(1_000);
    expect((await theInterface()).Association?.AllocationId).to.equal(edge.id);
    expect((await describeAddresses())[0]?.AssociationId).to.be.a('string');
  });

  it('can be tagged, and added by the control endpoint', async () => {
    const response = await fetch(`${harness.simulator.url}/_control/elastic-ips`, {
      method: 'POST',
      body: JSON.stringify({ publicIp: '198.19.0.1', tags: { team: 'edge' } }),
    });
    const { id } = (await response.json()) as { id: string };
    harness.simulator.setTags({ resourceIds: [id], tags: { zone: 'dmz' } });
    const [address] = await describeAddresses({
      Filters: [{ Name: 'tag:zone', Values: ['dmz'] }],
    });
    expect(address).to.include({ AllocationId: id, PublicIp: '198.19.0.1' });
  });
});
