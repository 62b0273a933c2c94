import type { XmlValue } from '../../protocol/xml.js';
import type { InstanceType } from '../../region/instance-types.js';
import { privateDnsName } from '../../region/instances.js';
import {
  type Association,
  type Attachment,
  type ElasticIp,
  type Eni,
  type Instance,
  type InstanceState,
  type SecurityGroup,
  type Subnet,
  statusOf,
  type Tags,
  type Vpc,
} from '../../region/model.js';
import type { Region } from '../../region/region.js';

// Each view is one of EC2's response structures, with the names that it has on the wire.

/** EC2's numbers for the states. */
const STATE_CODES: Readonly<Record<InstanceState, number>> = {
  pending: 0,
  running: 16,
  'shutting-down': 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
};

const time = (ms: number): string => new Date(ms).toISOString();

function tagSet(tags: Tags): XmlValue {
  return Object.entries(tags).map(([key, value]) => ({ key, value }));
}

function groupSet(region: Region, ids: readonly string[]): XmlValue {
  return ids.map((groupId) => ({ groupId, groupName: region.groups.get(groupId)?.name }));
}

export function zoneId(region: Region, zone: string): string {
  const [area = '', part = '', number = ''] = region.name.split('-');
  return `${area}${part.charAt(0)}${number}-az${zone.charCodeAt(zone.length - 1) - 96}`;
}

function addresses(region: Region, eni: Eni): XmlValue {
  return eni.privateIpAddresses.map((privateIpAddress, index) => ({
    privateIpAddress,
    privateDnsName: privateDnsName(privateIpAddress, region.name),
    primary: index === 0,
    association: associationView(region, eni, privateIpAddress),
  }));
}

function associationView(region: Region, eni: Eni, privateIpAddress: string | undefined): XmlValue {
  const association = eni.associations.find((each) => each.privateIpAddress === privateIpAddress);
  return (
    association && {
      allocationId: association.allocationId,
      associationId: association.id,
      ipOwnerId: region.accountId,
      publicIp: association.publicIp,
      publicDnsName: publicDnsName(region, association.publicIp),
    }
  );
}

function publicDnsName(region: Region, publicIp: string): string {
  return `ec2-${publicIp.replaceAll('.', '-')}.${region.name}.compute.amazonaws.com`;
}

export function elasticIpView(
  region: Region,
  address: ElasticIp,
  association: (Association & { eniId: string }) | undefined,
): XmlValue {
  const eni = association && region.enis.get(association.eniId);
  return {
    allocationId: address.id,
    publicIp: address.publicIp,
    publicIpv4Pool: address.pool,
    domain: 'vpc',
    networkBorderGroup: region.name,
    associationId: association?.id,
    networkInterfaceId: association?.eniId,
    networkInterfaceOwnerId: association && region.accountId,
    privateIpAddress: association?.privateIpAddress,
    instanceId: eni?.attachment?.instanceId,
    tagSet: tagSet(address.tags),
  };
}

function attachmentFields(attachment: Attachment): Record<string, XmlValue> {
  return {
    attachmentId: attachment.id,
    deviceIndex: attachment.deviceIndex,
    networkCardIndex: attachment.networkCardIndex,
    status: attachment.status,
    attachTime: time(attachment.attachTime),
    deleteOnTermination: attachment.deleteOnTermination,
    enaSrdSpecification: attachment.enaExpress && {
      enaSrdEnabled: attachment.enaExpress.enabled,
      enaSrdUdpSpecification: { enaSrdUdpEnabled: attachment.enaExpress.udp },
    },
  };
}

/** What the ENI of a Describe and the ENI within an instance have in common. */
function interfaceFields(region: Region, eni: Eni): Record<string, XmlValue> {
  const [primary] = eni.privateIpAddresses;
  return {
    networkInterfaceId: eni.id,
    subnetId: eni.subnetId,
    vpcId: eni.vpcId,
    description: eni.description,
    ownerId: region.accountId,
    status: statusOf(eni),
    macAddress: eni.macAddress,
    privateIpAddress: primary,
    privateDnsName: primary && privateDnsName(primary, region.name),
    sourceDestCheck: eni.sourceDestCheck,
    interfaceType: eni.interfaceType,
    groupSet: groupSet(region, eni.groupIds),
    privateIpAddressesSet: addresses(region, eni),
    association: associationView(region, eni, primary),
    ipv6AddressesSet: eni.ipv6Addresses.map((ipv6Address, index) => ({
      ipv6Address,
      isPrimaryIpv6: eni.primaryIpv6 && index === 0,
    })),
    ipv4PrefixSet: eni.ipv4Prefixes.map((ipv4Prefix) => ({ ipv4Prefix })),
    ipv6PrefixSet: eni.ipv6Prefixes.map((ipv6Prefix) => ({ ipv6Prefix })),
    connectionTrackingConfiguration: { ...eni.connectionTracking },
  };
}

export function interfaceView(region: Region, eni: Eni): XmlValue {
  const { attachment } = eni;
  return {
    ...interfaceFields(region, eni),
    availabilityZone: eni.zone,
    availabilityZoneId: zoneId(region, eni.zone),
    requesterManaged: eni.requesterManaged,
    requesterId: eni.requesterManaged ? 'amazon-elb' : undefined,
    tagSet: tagSet(eni.tags),
    attachment: attachment && {
      ...attachmentFields(attachment),
      instanceId: attachment.instanceId,
      instanceOwnerId: attachment.instanceId ? region.accountId : 'amazon-elb',
    },
  };
}

function instanceInterface(region: Region, eni: Eni): XmlValue {
  return {
    ...interfaceFields(region, eni),
    attachment: eni.attachment && attachmentFields(eni.attachment),
  };
}

/** A reservation of one instance: each was launched alone. */
export function reservationView(region: Region, instance: Instance): XmlValue {
  return {
    reservationId: instance.id.replace(/^i-/, 'r-'),
    ownerId: region.accountId,
    groupSet: [],
    instancesSet: [instanceView(region, instance)],
  };
}

function instanceView(region: Region, instance: Instance): XmlValue {
  const gone = instance.state === 'terminated';
  return {
    instanceId: instance.id,
    imageId: 'ami-0123456789abcdef0',
    instanceState: { code: STATE_CODES[instance.state], name: instance.state },
    privateDnsName: gone ? '' : instance.privateDnsName,
    instanceType: instance.type,
    operator: { managed: instance.managed },
    launchTime: time(instance.launchTime),
    placement: {
      availabilityZone: instance.zone,
      availabilityZoneId: zoneId(region, instance.zone),
      tenancy: 'default',
    },
    subnetId: gone ? undefined : instance.subnetId,
    vpcId: gone ? undefined : instance.vpcId,
    privateIpAddress: gone ? undefined : instance.privateIpAddress,
    architecture: 'x86_64',
    tagSet: tagSet(instance.tags),
    networkInterfaceSet: region.enis
      .visibleOn(instance.id)
      .map((eni) => instanceInterface(region, eni)),
  };
}

export function instanceTypeView(type: InstanceType): XmlValue {
  return {
    instanceType: type.name,
    hypervisor: type.hypervisor,
    currentGeneration: true,
    networkInfo: {
      maximumNetworkInterfaces: type.cards * type.interfacesPerCard,
      maximumNetworkCards: type.cards,
      defaultNetworkCardIndex: 0,
      networkCards: Array.from({ length: type.cards }, (_, networkCardIndex) => ({
        networkCardIndex,
        maximumNetworkInterfaces: type.interfacesPerCard,
      })),
      ipv4AddressesPerInterface: type.addressesPerInterface,
      ipv6AddressesPerInterface: type.addressesPerInterface,
      ipv6Supported: true,
      enaSupport: 'required',
      enaSrdSupported: type.enaExpress,
    },
  };
}

export function subnetView(region: Region, subnet: Subnet): XmlValue {
  return {
    subnetId: subnet.id,
    subnetArn: `arn:aws:ec2:${region.name}:${region.accountId}:subnet/${subnet.id}`,
    state: 'available',
    vpcId: subnet.vpcId,
    cidrBlock: subnet.cidr,
    availableIpAddressCount: region.availableAddresses(subnet.id),
    ipv6Native: subnet.ipv6Native ?? false,
    assignIpv6AddressOnCreation: subnet.assignIpv6AddressOnCreation ?? false,
    availabilityZone: subnet.zone,
    availabilityZoneId: zoneId(region, subnet.zone),
    ownerId: subnet.ownerId ?? region.accountId,
    defaultForAz: false,
    mapPublicIpOnLaunch: false,
    ipv6CidrBlockAssociationSet: subnet.ipv6Cidr
      ? [{ ipv6CidrBlock: subnet.ipv6Cidr, ipv6CidrBlockState: { state: 'associated' } }]
      : [],
    tagSet: tagSet(subnet.tags),
  };
}

export function groupView(region: Region, group: SecurityGroup): XmlValue {
  return {
    groupId: group.id,
    groupName: group.name,
    groupDescription: group.description,
    vpcId: group.vpcId,
    ownerId: group.ownerId ?? region.accountId,
    ipPermissions: [],
    ipPermissionsEgress: [],
    tagSet: tagSet(group.tags),
  };
}

export function vpcView(region: Region, vpc: Vpc): XmlValue {
  return {
    vpcId: vpc.id,
    state: 'available',
    cidrBlock: vpc.cidr,
    isDefault: false,
    instanceTenancy: 'default',
    ownerId: region.accountId,
    tagSet: tagSet(vpc.tags),
  };
}

export function zoneView(region: Region, zone: string): XmlValue {
  return {
    zoneName: zone,
    zoneId: zoneId(region, zone),
    zoneState: 'available',
    zoneType: 'availability-zone',
    regionName: region.name,
    optInStatus: 'opt-in-not-required',
  };
}
