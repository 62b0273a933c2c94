import { errors } from '../api-error.js';
import type { Query } from '../protocol/query.js';
import type { XmlValue } from '../protocol/xml.js';
import { checkId } from '../region/ids.js';
import type { SecurityGroup, Subnet, Tags, Vpc } from '../region/model.js';
import type { Region } from '../region/region.js';
import type { FilterTable } from './support/filters.js';
import { list, type Page } from './support/listing.js';
import { groupView, subnetView, vpcView, zoneId, zoneView } from './support/views.js';

/** Few, and never removed: their place in the map is their position. */
function listResources<T extends { id: string; tags: Tags }>(
  query: Query,
  resources: ReadonlyMap<string, T>,
  how: {
    ids: readonly string[];
    idParameter: string;
    notFound: (ids: string[]) => Error;
    values: FilterTable<T>['values'];
  },
): Page<T> {
  const all = [...resources.values()];
  return list(query, {
    ...how,
    find: (id) => resources.get(id),
    all: () => all,
    position: (item) => all.indexOf(item),
    filters: { tags: (item) => item.tags, values: how.values },
  });
}

export function describeSubnets(query: Query, region: Region): XmlValue {
  const page = listResources<Subnet>(query, region.subnets, {
    ids: query.list('SubnetId').map((id) => checkId('subnet', id)),
    idParameter: 'subnetIds',
    notFound: errors.subnetsNotFound,
    values: {
      'subnet-id': (subnet) => subnet.id,
      'vpc-id': (subnet) => subnet.vpcId,
      'availability-zone': (subnet) => subnet.zone,
      'availability-zone-id': (subnet) => zoneId(region, subnet.zone),
      'cidr-block': (subnet) => subnet.cidr ?? '',
      'ipv6-native': (subnet) => String(subnet.ipv6Native ?? false),
      state: () => 'available',
      'owner-id': (subnet) => subnet.ownerId ?? region.accountId,
    },
  });
  return {
    subnetSet: page.items.map((subnet) => subnetView(region, subnet)),
    nextToken: page.nextToken,
  };
}

export function describeSecurityGroups(query: Query, region: Region): XmlValue {
  const page = listResources<SecurityGroup>(query, region.groups, {
    ids: [
      ...query.list('GroupId').map((id) => checkId('group', id)),
      ...query.list('GroupName').map((name) => groupIdByName(region, name)),
    ],
    idParameter: 'securityGroupIds',
    notFound: ([id = '']) => errors.groupNotFound(id),
    values: {
      'group-id': (group) => group.id,
      'group-name': (group) => group.name,
      'vpc-id': (group) => group.vpcId,
      description: (group) => group.description,
      'owner-id': (group) => group.ownerId ?? region.accountId,
    },
  });
  return {
    securityGroupInfo: page.items.map((group) => groupView(region, group)),
    nextToken: page.nextToken,
  };
}

interface VpcAssociation {
  group: SecurityGroup;
  vpcId: string;
}

/** Groups that are associated with VPCs besides their own. */
export function describeSecurityGroupVpcAssociations(query: Query, region: Region): XmlValue {
  const all = [...region.groups.values()].flatMap((group) =>
    (group.associatedVpcIds ?? []).map((vpcId): VpcAssociation => ({ group, vpcId })),
  );
  const page = list<VpcAssociation>(query, {
    ids: [],
    idParameter: 'groupIds',
    find: () => undefined,
    notFound: ([id = '']) => errors.groupNotFound(id),
    all: () => all,
    position: (association) => all.indexOf(association),
    filters: {
      values: {
        'group-id': ({ group }) => group.id,
        'vpc-id': ({ vpcId }) => vpcId,
        'group-owner-id': ({ group }) => group.ownerId ?? region.accountId,
        state: () => 'associated',
      },
    },
  });
  return {
    securityGroupVpcAssociationSet: page.items.map(({ group, vpcId }) => ({
      groupId: group.id,
      vpcId,
      vpcOwnerId: region.accountId,
      state: 'associated',
    })),
    nextToken: page.nextToken,
  };
}

/** The `GroupName` parameter works in a default VPC only; the fixture's first VPC stands for it. */
function groupIdByName(region: Region, name: string): string {
  const vpcId = region.vpcs.keys().next().value;
  const group = [...region.groups.values()].find(
    (candidate) => candidate.name === name && candidate.vpcId === vpcId,
  );
  if (!group) {
    throw errors.groupNotFound(name);
  }
  return group.id;
}

export function describeVpcs(query: Query, region: Region): XmlValue {
  const page = listResources<Vpc>(query, region.vpcs, {
    ids: query.list('VpcId').map((id) => checkId('vpc', id)),
    idParameter: 'vpcIds',
    notFound: errors.vpcsNotFound,
    values: { 'vpc-id': (vpc) => vpc.id, cidr: (vpc) => vpc.cidr, state: () => 'available' },
  });
  return { vpcSet: page.items.map((vpc) => vpcView(region, vpc)), nextToken: page.nextToken };
}

export function describeAvailabilityZones(query: Query, region: Region): XmlValue {
  const zones = region.zones();
  const page = list<string>(query, {
    ids: query.list('ZoneName'),
    idParameter: 'zoneNames',
    find: (name) => zones.find((zone) => zone === name),
    notFound: ([name]) => errors.invalidValue(`Invalid availability zone: [${name}]`),
    all: () => zones,
    position: (zone) => zones.indexOf(zone),
    filters: {
      values: {
        'zone-name': (zone) => zone,
        'zone-id': (zone) => zoneId(region, zone),
        state: () => 'available',
        'region-name': () => region.name,
      },
    },
  });
  return { availabilityZoneInfo: page.items.map((zone) => zoneView(region, zone)) };
}
