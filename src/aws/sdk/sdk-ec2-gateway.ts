import {
  AssignIpv6AddressesCommand,
  AssignPrivateIpAddressesCommand,
  AssociateAddressCommand,
  AttachNetworkInterfaceCommand,
  CreateNetworkInterfaceCommand,
  CreateTagsCommand,
  DeleteNetworkInterfaceCommand,
  DeleteTagsCommand,
  DescribeAddressesCommand,
  DescribeInstancesCommand,
  DescribeInstanceTypesCommand,
  DescribeNetworkInterfacesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSecurityGroupVpcAssociationsCommand,
  DescribeSubnetsCommand,
  DetachNetworkInterfaceCommand,
  DisassociateAddressCommand,
  type EC2Client,
  ModifyNetworkInterfaceAttributeCommand,
  UnassignIpv6AddressesCommand,
  UnassignPrivateIpAddressesCommand,
} from '@aws-sdk/client-ec2';
import { API_GROUP } from '../../api/names.js';
import type { Ec2Action, WriteAction } from '../ec2-actions.js';
import { UserError } from '../ec2-errors.js';
import type {
  AddressCount,
  AddressSet,
  AttachEniRequest,
  ConnectionTracking,
  CreateEniRequest,
  DeniedWrite,
  Ec2Gateway,
  ElasticIp,
  ElasticIpQuery,
  EnaExpress,
  Eni,
  EniFilter,
  Instance,
  InstanceTypeLimits,
  ListEnisOptions,
  SecurityGroup,
  SecurityGroupQuery,
  Subnet,
  SubnetQuery,
} from '../ec2-gateway.js';
import { dryRunWrites } from './dry-runs.js';
import { Ec2Caller, type Ec2CallerOptions, type FilteredRead } from './ec2-caller.js';
import { enisOf } from './read-eni-pages.js';
import { filter } from './sdk-filters.js';
import {
  fromConnectionTracking,
  fromEnaExpress,
  MalformedResponseError,
  toElasticIp,
  toEni,
  toInstance,
  toInstanceTypeLimits,
  toSecurityGroup,
  toSubnet,
} from './sdk-mapping.js';

/** The largest page that EC2 allows for this call. */
const INSTANCE_TYPES_PAGE_SIZE = 100;

/** The writes that every ENI needs. */
const NEEDED_WRITES: readonly WriteAction[] = [
  'CreateNetworkInterface',
  'AttachNetworkInterface',
  'ModifyNetworkInterfaceAttribute',
  'DetachNetworkInterface',
  'DeleteNetworkInterface',
];

export interface SdkEc2GatewayOptions extends Ec2CallerOptions {
  client: Pick<EC2Client, 'send'>;
}

/** {@link Ec2Gateway} on the AWS SDK. Every call waits for its action's budget and is sent once. */
export class SdkEc2Gateway implements Ec2Gateway {
  private readonly client: Pick<EC2Client, 'send'>;
  private readonly caller: Ec2Caller;

  private constructor(private readonly options: SdkEc2GatewayOptions) {
    this.client = options.client;
    this.caller = new Ec2Caller(options);
  }

  static create(options: SdkEc2GatewayOptions): SdkEc2Gateway {
    return new SdkEc2Gateway(options);
  }

  forOwner(owner: string, wanted?: () => boolean): Ec2Gateway {
    return new SdkEc2Gateway({ ...this.options, owner, wanted });
  }

  describeSubnets(query: SubnetQuery): Promise<Subnet[]> {
    const [name, values] = 'ids' in query ? ['subnet-id', query.ids] : ['tag:Name', query.names];
    return this.caller.readByFilter('DescribeSubnets', { name, values }, async (paging) => {
      const answer = await this.client.send(new DescribeSubnetsCommand(paging));
      return { items: (answer.Subnets ?? []).map(toSubnet), next: answer.NextToken };
    });
  }

  describeSecurityGroups(query: SecurityGroupQuery): Promise<SecurityGroup[]> {
    const by =
      'ids' in query
        ? { name: 'group-id', values: query.ids }
        : {
            name: 'group-name',
            values: query.names,
            ...(query.vpcId === undefined ? {} : { and: [filter('vpc-id', [query.vpcId])] }),
          };
    return this.caller.readByFilter('DescribeSecurityGroups', by, async (paging) => {
      const answer = await this.client.send(new DescribeSecurityGroupsCommand(paging));
      return { items: (answer.SecurityGroups ?? []).map(toSecurityGroup), next: answer.NextToken };
    });
  }

  async describeAssociatedGroups(vpcId: string): Promise<string[]> {
    const by = { name: 'vpc-id', values: [vpcId] };
    return this.caller.readByFilter('DescribeSecurityGroupVpcAssociations', by, async (paging) => {
      const answer = await this.client.send(
        new DescribeSecurityGroupVpcAssociationsCommand({
          ...paging,
          Filters: [...paging.Filters, filter('state', ['associated'])],
        }),
      );
      const groups = answer.SecurityGroupVpcAssociations ?? [];
      return { items: groups.flatMap(({ GroupId }) => GroupId ?? []), next: answer.NextToken };
    });
  }

  describeInstances(ids: readonly string[]): Promise<Instance[]> {
    const by = { name: 'instance-id', values: ids };
    return this.caller.readByFilter('DescribeInstances', by, async (paging) => {
      const answer = await this.client.send(new DescribeInstancesCommand(paging));
      const instances = (answer.Reservations ?? []).flatMap(({ Instances = [], OwnerId }) =>
        Instances.map((instance) => toInstance(instance, OwnerId)),
      );
      return { items: instances, next: answer.NextToken };
    });
  }

  describeInstanceTypes(types: readonly string[]): Promise<InstanceTypeLimits[]> {
    const by = { name: 'instance-type', values: types };
    return this.caller.readByFilter('DescribeInstanceTypes', by, async (paging) => {
      const answer = await this.client.send(
        new DescribeInstanceTypesCommand({ ...paging, MaxResults: INSTANCE_TYPES_PAGE_SIZE }),
      );
      const limits = (answer.InstanceTypes ?? []).map(toInstanceTypeLimits);
      return { items: limits, next: answer.NextToken };
    });
  }

  describeEnis(ids: readonly string[]): Promise<Eni[]> {
    return this.readEnis({ name: 'network-interface-id', values: ids });
  }

  async listEnis({ tags, instanceId }: EniFilter, { map }: ListEnisOptions = {}): Promise<Eni[]> {
    const byInstance =
      instanceId === undefined ? [] : [{ name: 'attachment.instance-id', values: [instanceId] }];
    const [most, ...others] = Object.entries(tags)
      .map(([key, value]) => ({ name: `tag:${key}`, values: [value].flat() }))
      .concat(byInstance)
      .toSorted((a, b) => b.values.length - a.values.length);
    if (!most) {
      throw invalid('DescribeNetworkInterfaces', 'A listing of ENIs needs a tag or an instance');
    }
    const and = others.map(({ name, values }) => filter(name, values));
    return this.readEnis({ ...most, and }, map);
  }

  /** In one call: DescribeAddresses has no pages. It has no filter for the pool either. */
  describeElasticIps({ pool, tags = {} }: ElasticIpQuery): Promise<ElasticIp[]> {
    const Filters = Object.entries(tags).map(([key, value]) => filter(`tag:${key}`, [value]));
    return this.caller.call('DescribeAddresses', async () => {
      const { Addresses = [] } = await this.client.send(
        new DescribeAddressesCommand(Filters.length > 0 ? { Filters } : {}),
      );
      return Addresses.filter(
        ({ PublicIpv4Pool }) => pool === undefined || PublicIpv4Pool === pool,
      ).flatMap((address) => toElasticIp(address) ?? []);
    });
  }

  async createEni(request: CreateEniRequest): Promise<Eni> {
    requireSecurityGroups('CreateNetworkInterface', request.securityGroupIds);
    return this.caller.call('CreateNetworkInterface', async () => {
      const answer = await this.client.send(
        new CreateNetworkInterfaceCommand({
          ClientToken: request.clientToken,
          SubnetId: request.subnetId,
          Groups: request.securityGroupIds,
          Description: request.description,
          PrivateIpAddress: request.privateIpAddress,
          ...addressCounts(request),
          ...(request.primaryIpv6 ? { EnablePrimaryIpv6: true } : {}),
          ...(request.connectionTracking
            ? {
                ConnectionTrackingSpecification: fromConnectionTracking(request.connectionTracking),
              }
            : {}),
          TagSpecifications: [
            {
              ResourceType: 'network-interface',
              Tags: Object.entries(request.tags).map(([Key, Value]) => ({ Key, Value })),
            },
          ],
        }),
      );
      return toEni(answer.NetworkInterface);
    });
  }

  attachEni(request: AttachEniRequest): Promise<{ attachmentId: string }> {
    return this.caller.call('AttachNetworkInterface', async () => {
      const answer = await this.client.send(
        new AttachNetworkInterfaceCommand({
          NetworkInterfaceId: request.eniId,
          InstanceId: request.instanceId,
          DeviceIndex: request.deviceIndex,
          // Always set: otherwise EC2 reports free slots as taken on types with several cards.
          NetworkCardIndex: request.networkCardIndex,
          ...(request.enaExpress
            ? { EnaSrdSpecification: fromEnaExpress(request.enaExpress) }
            : {}),
        }),
      );
      if (!answer.AttachmentId) {
        throw new MalformedResponseError('EC2 answered with an attachment without an id');
      }
      return { attachmentId: answer.AttachmentId };
    });
  }

  setDeleteOnTermination(eniId: string, attachmentId: string, value: boolean): Promise<void> {
    return this.modifyEni({
      NetworkInterfaceId: eniId,
      Attachment: { AttachmentId: attachmentId, DeleteOnTermination: value },
    });
  }

  async setSecurityGroups(eniId: string, securityGroupIds: readonly string[]): Promise<void> {
    requireSecurityGroups('ModifyNetworkInterfaceAttribute', securityGroupIds);
    await this.modifyEni({ NetworkInterfaceId: eniId, Groups: [...securityGroupIds] });
  }

  setDescription(eniId: string, description: string): Promise<void> {
    return this.modifyEni({ NetworkInterfaceId: eniId, Description: { Value: description } });
  }

  setSourceDestCheck(eniId: string, value: boolean): Promise<void> {
    return this.modifyEni({ NetworkInterfaceId: eniId, SourceDestCheck: { Value: value } });
  }

  setConnectionTracking(eniId: string, tracking: ConnectionTracking): Promise<void> {
    const ConnectionTrackingSpecification = fromConnectionTracking(tracking);
    return this.modifyEni({ NetworkInterfaceId: eniId, ConnectionTrackingSpecification });
  }

  setEnaExpress(eniId: string, enaExpress: EnaExpress): Promise<void> {
    const EnaSrdSpecification = fromEnaExpress(enaExpress);
    return this.modifyEni({ NetworkInterfaceId: eniId, EnaSrdSpecification });
  }

  enablePrimaryIpv6(eniId: string): Promise<void> {
    return this.modifyEni({ NetworkInterfaceId: eniId, EnablePrimaryIpv6: true });
  }

  assignIpv4(eniId: string, count: AddressCount): Promise<AddressSet> {
    return this.caller.call('AssignPrivateIpAddresses', async () => {
      const answer = await this.client.send(
        new AssignPrivateIpAddressesCommand({
          NetworkInterfaceId: eniId,
          ...('addresses' in count
            ? { SecondaryPrivateIpAddressCount: count.addresses }
            : { Ipv4PrefixCount: count.prefixes }),
        }),
      );
      const { AssignedPrivateIpAddresses = [], AssignedIpv4Prefixes = [] } = answer;
      return {
        addresses: AssignedPrivateIpAddresses.flatMap(
          ({ PrivateIpAddress }) => PrivateIpAddress ?? [],
        ),
        prefixes: AssignedIpv4Prefixes.flatMap(({ Ipv4Prefix }) => Ipv4Prefix ?? []),
      };
    });
  }

  unassignIpv4(eniId: string, { addresses, prefixes }: AddressSet): Promise<void> {
    return this.caller.call('UnassignPrivateIpAddresses', async () => {
      await this.client.send(
        new UnassignPrivateIpAddressesCommand({
          NetworkInterfaceId: eniId,
          ...(addresses.length > 0 ? { PrivateIpAddresses: [...addresses] } : {}),
          ...(prefixes.length > 0 ? { Ipv4Prefixes: [...prefixes] } : {}),
        }),
      );
    });
  }

  assignIpv6(eniId: string, count: AddressCount): Promise<AddressSet> {
    return this.caller.call('AssignIpv6Addresses', async () => {
      const answer = await this.client.send(
        new AssignIpv6AddressesCommand({
          NetworkInterfaceId: eniId,
          ...('addresses' in count
            ? { Ipv6AddressCount: count.addresses }
            : { Ipv6PrefixCount: count.prefixes }),
        }),
      );
      const { AssignedIpv6Addresses = [], AssignedIpv6Prefixes = [] } = answer;
      return { addresses: AssignedIpv6Addresses, prefixes: AssignedIpv6Prefixes };
    });
  }

  unassignIpv6(eniId: string, { addresses, prefixes }: AddressSet): Promise<void> {
    return this.caller.call('UnassignIpv6Addresses', async () => {
      await this.client.send(
        new UnassignIpv6AddressesCommand({
          NetworkInterfaceId: eniId,
          ...(addresses.length > 0 ? { Ipv6Addresses: [...addresses] } : {}),
          ...(prefixes.length > 0 ? { Ipv6Prefixes: [...prefixes] } : {}),
        }),
      );
    });
  }

  associateElasticIp(eniId: string, allocationId: string): Promise<{ associationId: string }> {
    return this.caller.call('AssociateAddress', async () => {
      const { AssociationId } = await this.client.send(
        new AssociateAddressCommand({
          NetworkInterfaceId: eniId,
          AllocationId: allocationId,
          // Otherwise EC2 would take an address from whatever uses it.
          AllowReassociation: false,
        }),
      );
      if (!AssociationId) {
        throw new MalformedResponseError('EC2 answered with an association without an id');
      }
      return { associationId: AssociationId };
    });
  }

  disassociateElasticIp(associationId: string): Promise<void> {
    return this.caller.call('DisassociateAddress', async () => {
      await this.client.send(new DisassociateAddressCommand({ AssociationId: associationId }));
    });
  }

  setTags(eniId: string, tags: Readonly<Record<string, string>>): Promise<void> {
    return this.caller.call('CreateTags', async () => {
      const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
      await this.client.send(new CreateTagsCommand({ Resources: [eniId], Tags }));
    });
  }

  removeTags(eniId: string, keys: readonly string[]): Promise<void> {
    return this.caller.call('DeleteTags', async () => {
      const Tags = keys.map((Key) => ({ Key }));
      await this.client.send(new DeleteTagsCommand({ Resources: [eniId], Tags }));
    });
  }

  detachEni(attachmentId: string, options: { force?: boolean } = {}): Promise<void> {
    return this.caller.call('DetachNetworkInterface', async () => {
      await this.client.send(
        new DetachNetworkInterfaceCommand({
          AttachmentId: attachmentId,
          Force: options.force ?? false,
        }),
      );
    });
  }

  deleteEni(eniId: string): Promise<void> {
    return this.caller.call('DeleteNetworkInterface', async () => {
      await this.client.send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId: eniId }));
    });
  }

  async deniedWrites({ id, tags, attachment, ...place }: Eni): Promise<DeniedWrite[]> {
    if (!attachment) return [];
    // EC2 accepts no tags of its own, `aws:…`, in a request.
    const own = Object.entries(tags).filter(([key]) => key.startsWith(`${API_GROUP}/`));
    const { subnetId, securityGroupIds } = place;
    const { attachmentId, instanceId } = attachment;
    const create = { subnetId, securityGroupIds, tags: Object.fromEntries(own) };
    const subject = { eniId: id, attachmentId, instanceId, create };
    const results = await dryRunWrites(this.options, subject, NEEDED_WRITES);
    return results
      .filter(({ answer }) => answer === 'denied')
      .map(({ action, detail = '' }) => ({ action, detail }));
  }

  private modifyEni(
    input: ConstructorParameters<typeof ModifyNetworkInterfaceAttributeCommand>[0],
  ): Promise<void> {
    return this.caller.call('ModifyNetworkInterfaceAttribute', async () => {
      await this.client.send(new ModifyNetworkInterfaceAttributeCommand(input));
    });
  }

  private readEnis(by: FilteredRead, map = (eni: Eni) => eni): Promise<Eni[]> {
    return this.caller.readByFilter('DescribeNetworkInterfaces', by, async (paging) => {
      const answer = await this.client.send(new DescribeNetworkInterfacesCommand(paging));
      return { items: enisOf(answer).map(map), next: answer.NextToken };
    });
  }
}

function addressCounts(request: CreateEniRequest): object {
  const { secondaryAddressCount, ipv4PrefixCount, ipv6AddressCount, ipv6PrefixCount } = request;
  return {
    ...(secondaryAddressCount ? { SecondaryPrivateIpAddressCount: secondaryAddressCount } : {}),
    ...(ipv4PrefixCount ? { Ipv4PrefixCount: ipv4PrefixCount } : {}),
    ...(ipv6AddressCount === undefined ? {} : { Ipv6AddressCount: ipv6AddressCount }),
    ...(ipv6PrefixCount ? { Ipv6PrefixCount: ipv6PrefixCount } : {}),
  };
}

function requireSecurityGroups(action: Ec2Action, ids: readonly string[]): void {
  if (ids.length === 0) throw invalid(action, 'An ENI needs at least one security group');
}

function invalid(action: Ec2Action, message: string): UserError {
  return new UserError({ action, code: 'InvalidRequest', message }, 'InvalidRequest');
}
