import type {
  Address,
  ConnectionTrackingSpecificationRequest,
  EnaSrdSpecification,
  InstanceTypeInfo,
  NetworkInterface,
  NetworkInterfaceAssociation,
  NetworkInterfaceAttachment,
  Instance as SdkInstance,
  SecurityGroup as SdkSecurityGroup,
  Subnet as SdkSubnet,
  Tag,
} from '@aws-sdk/client-ec2';
import { SharedStrings } from '../../runtime/cache/shared-strings.js';
import type {
  ConnectionTracking,
  ElasticIp,
  EnaExpress,
  Eni,
  EniAttachmentState,
  Instance,
  InstanceTypeLimits,
  PublicAddress,
  SecurityGroup,
  Subnet,
} from '../ec2-gateway.js';

/** EC2's answer lacks a required field. */
export class MalformedResponseError extends Error {
  override name = 'MalformedAnswer';
}

/**
 * @param strings shared by ENIs that are read together
 * @throws {@link MalformedResponseError} if the ENI has no id.
 */
export function toEni(from: NetworkInterface | undefined, strings = new SharedStrings()): Eni {
  const shared = (text: string | undefined): string => strings.share(text ?? '');
  const addresses = texts(
    primaryFirst(from?.PrivateIpAddresses, ({ Primary }) => Primary),
    ({ PrivateIpAddress }) => PrivateIpAddress,
  );
  return {
    id: required(from?.NetworkInterfaceId, 'a network interface without an id'),
    status: shared(from?.Status ?? 'pending'),
    subnetId: shared(from?.SubnetId),
    vpcId: shared(from?.VpcId),
    zone: shared(from?.AvailabilityZone),
    description: shared(from?.Description),
    ...present('macAddress', from?.MacAddress),
    ...present('privateIpAddress', from?.PrivateIpAddress ?? addresses[0]),
    privateIpAddresses: addresses,
    ipv6Addresses: texts(
      primaryFirst(from?.Ipv6Addresses, ({ IsPrimaryIpv6 }) => IsPrimaryIpv6),
      ({ Ipv6Address }) => Ipv6Address,
    ),
    ipv4Prefixes: texts(from?.Ipv4Prefixes, ({ Ipv4Prefix }) => Ipv4Prefix),
    ipv6Prefixes: texts(from?.Ipv6Prefixes, ({ Ipv6Prefix }) => Ipv6Prefix),
    ...(from?.Ipv6Addresses?.some(({ IsPrimaryIpv6 }) => IsPrimaryIpv6)
      ? { hasPrimaryIpv6: true }
      : {}),
    ...present('publicAddress', toPublicAddress(from?.Association)),
    sourceDestCheck: from?.SourceDestCheck ?? true,
    ...present('connectionTracking', toConnectionTracking(from)),
    securityGroupIds: texts(from?.Groups, ({ GroupId }) => GroupId && shared(GroupId)).sort(),
    tags: toTags(from?.TagSet, strings),
    ...present('attachment', toAttachment(from?.Attachment, strings)),
    requesterManaged: from?.RequesterManaged ?? false,
  };
}

/** EC2 promises no order. */
function primaryFirst<T>(
  addresses: readonly T[] = [],
  isPrimary: (address: T) => boolean | undefined,
): T[] {
  return addresses.toSorted(
    (a, b) => Number(isPrimary(b) ?? false) - Number(isPrimary(a) ?? false),
  );
}

/** What `textOf` finds. The slice has no room for more, flatMap's result for 16 more texts. */
function texts<T>(
  items: readonly T[] | undefined,
  textOf: (item: T) => string | undefined,
): string[] {
  return (items ?? []).flatMap((item) => textOf(item) || []).slice();
}

function toPublicAddress(from: NetworkInterfaceAssociation | undefined): PublicAddress | undefined {
  return from?.PublicIp === undefined
    ? undefined
    : {
        publicIp: from.PublicIp,
        ...present('allocationId', from.AllocationId),
        ...present('associationId', from.AssociationId),
      };
}

/** Undefined for an address that no ENI can get: a service manages it, or it is none of a VPC. */
export function toElasticIp(from: Address): ElasticIp | undefined {
  const { AllocationId, AssociationId, NetworkInterfaceId, PublicIp, ServiceManaged } = from;
  return AllocationId === undefined || !PublicIp || ServiceManaged
    ? undefined
    : {
        allocationId: AllocationId,
        publicIp: PublicIp,
        ...(AssociationId
          ? {
              association: {
                associationId: AssociationId,
                ...present('eniId', NetworkInterfaceId || undefined),
              },
            }
          : {}),
      };
}

function toConnectionTracking(from: NetworkInterface | undefined): ConnectionTracking | undefined {
  const { TcpEstablishedTimeout, UdpStreamTimeout, UdpTimeout } =
    from?.ConnectionTrackingConfiguration ?? {};
  const tracking = {
    ...present('tcpEstablishedTimeout', TcpEstablishedTimeout),
    ...present('udpStreamTimeout', UdpStreamTimeout),
    ...present('udpTimeout', UdpTimeout),
  };
  return Object.keys(tracking).length > 0 ? tracking : undefined;
}

export function fromConnectionTracking(
  tracking: ConnectionTracking,
): ConnectionTrackingSpecificationRequest {
  return {
    ...present('TcpEstablishedTimeout', tracking.tcpEstablishedTimeout),
    ...present('UdpStreamTimeout', tracking.udpStreamTimeout),
    ...present('UdpTimeout', tracking.udpTimeout),
  };
}

export function fromEnaExpress({ enabled, udp }: EnaExpress): EnaSrdSpecification {
  return { EnaSrdEnabled: enabled, EnaSrdUdpSpecification: { EnaSrdUdpEnabled: udp } };
}

/** Undefined for the attachment of an AWS service, which has no id. */
function toAttachment(
  from: NetworkInterfaceAttachment | undefined,
  strings: SharedStrings,
): EniAttachmentState | undefined {
  if (!from?.AttachmentId) return undefined;
  return {
    attachmentId: from.AttachmentId,
    instanceId: strings.share(from.InstanceId ?? ''),
    deviceIndex: from.DeviceIndex ?? 0,
    networkCardIndex: from.NetworkCardIndex ?? 0,
    status: strings.share(from.Status ?? 'attaching'),
    deleteOnTermination: from.DeleteOnTermination ?? false,
    ...present('enaExpress', toEnaExpress(from)),
  };
}

function toEnaExpress({
  EnaSrdSpecification: from,
}: NetworkInterfaceAttachment): EnaExpress | undefined {
  return from?.EnaSrdEnabled === undefined
    ? undefined
    : {
        enabled: from.EnaSrdEnabled,
        udp: from.EnaSrdUdpSpecification?.EnaSrdUdpEnabled ?? false,
      };
}

export function toSubnet(from: SdkSubnet): Subnet {
  return {
    id: required(from.SubnetId, 'a subnet without an id'),
    ...present('name', toTags(from.Tags).Name),
    vpcId: from.VpcId ?? '',
    zone: from.AvailabilityZone ?? '',
    ...present('cidr', from.CidrBlock || undefined),
    ...(from.Ipv6Native
      ? { ipv6Native: true }
      : { availableAddresses: from.AvailableIpAddressCount ?? 0 }),
  };
}

export function toSecurityGroup(from: SdkSecurityGroup): SecurityGroup {
  return {
    id: required(from.GroupId, 'a security group without an id'),
    name: from.GroupName ?? '',
    vpcId: from.VpcId ?? '',
    ...present('ownerId', from.OwnerId),
  };
}

/** A terminated instance has no VPC, no interfaces and, after a while, no zone. */
export function toInstance(from: SdkInstance, ownerId?: string): Instance {
  return {
    id: required(from.InstanceId, 'an instance without an id'),
    type: from.InstanceType ?? '',
    state: from.State?.Name ?? 'pending',
    zone: from.Placement?.AvailabilityZone ?? '',
    ...present('vpcId', from.VpcId || undefined),
    ...present('ownerId', ownerId),
    ...(from.Operator?.Managed ? { managed: true } : {}),
    interfaces: (from.NetworkInterfaces ?? []).flatMap(({ NetworkInterfaceId, Attachment }) =>
      NetworkInterfaceId && Attachment?.DeviceIndex !== undefined
        ? {
            eniId: NetworkInterfaceId,
            deviceIndex: Attachment.DeviceIndex,
            networkCardIndex: Attachment.NetworkCardIndex ?? 0,
          }
        : [],
    ),
  };
}

/** Types without network cards in the answer (older answers) have one card, card 0. */
export function toInstanceTypeLimits(from: InstanceTypeInfo): InstanceTypeLimits {
  const maximumInterfaces = from.NetworkInfo?.MaximumNetworkInterfaces ?? 0;
  const cards = (from.NetworkInfo?.NetworkCards ?? []).map((card) => ({
    networkCardIndex: card.NetworkCardIndex ?? 0,
    maximumInterfaces: card.MaximumNetworkInterfaces ?? 0,
  }));
  return {
    type: required(from.InstanceType, 'an instance type without a name'),
    maximumInterfaces,
    cards: cards.length > 0 ? cards : [{ networkCardIndex: 0, maximumInterfaces }],
    ...present('enaExpress', from.NetworkInfo?.EnaSrdSupported),
    ...present('ipv4Addresses', from.NetworkInfo?.Ipv4AddressesPerInterface),
    ...present('ipv6Addresses', from.NetworkInfo?.Ipv6AddressesPerInterface),
    ...present('nitro', from.Hypervisor === undefined ? from.BareMetal : isNitro(from)),
  };
}

/** Bare metal types have no hypervisor, and are built on Nitro (except a few of the first generation). */
function isNitro({ Hypervisor, BareMetal }: InstanceTypeInfo): boolean {
  return Hypervisor === 'nitro' || BareMetal === true;
}

function toTags(
  tags: readonly Tag[] | undefined,
  strings = new SharedStrings(),
): Record<string, string> {
  return Object.fromEntries(
    (tags ?? []).flatMap(({ Key, Value }) =>
      Key === undefined ? [] : [[Key, strings.share(Value ?? '')]],
    ),
  );
}

/** `{ [name]: value }`, or `{}` without a value. */
function present<N extends string, V>(name: N, value: V | undefined): { [K in N]?: V } {
  return (value === undefined ? {} : { [name]: value }) as { [K in N]?: V };
}

function required(value: string | undefined, lacking: string): string {
  if (!value) throw new MalformedResponseError(`EC2 answered with ${lacking}`);
  return value;
}
