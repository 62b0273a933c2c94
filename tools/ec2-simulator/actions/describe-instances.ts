import { errors } from '../api-error.js';
import type { Query } from '../protocol/query.js';
import type { XmlValue } from '../protocol/xml.js';
import { checkId } from '../region/ids.js';
import { INSTANCE_TYPES } from '../region/instance-types.js';
import type { Instance } from '../region/model.js';
import type { Region } from '../region/region.js';
import type { FilterTable } from './support/filters.js';
import { list } from './support/listing.js';
import { instanceTypeView, reservationView } from './support/views.js';

function instanceFilters(region: Region): FilterTable<Instance> {
  return {
    tags: (instance) => instance.tags,
    values: {
      'instance-id': (instance) => instance.id,
      'instance-state-name': (instance) => instance.state,
      'instance-type': (instance) => instance.type,
      'availability-zone': (instance) => instance.zone,
      'subnet-id': (instance) => instance.subnetId,
      'vpc-id': (instance) => instance.vpcId,
      'private-dns-name': (instance) => instance.privateDnsName,
      'private-ip-address': (instance) => instance.privateIpAddress,
      'network-interface.network-interface-id': (instance) =>
        region.enis.visibleOn(instance.id).map((eni) => eni.id),
    },
  };
}

export function describeInstances(query: Query, region: Region): XmlValue {
  const page = list<Instance>(query, {
    ids: query.list('InstanceId').map((id) => checkId('instance', id)),
    idParameter: 'instancesSet',
    idFilter: 'instance-id',
    find: (id) => region.instances.get(id),
    notFound: errors.instancesNotFound,
    all: () => region.instances.values(),
    position: (instance) => instance.sequence,
    filters: instanceFilters(region),
  });
  return {
    reservationSet: page.items.map((instance) => reservationView(region, instance)),
    nextToken: page.nextToken,
  };
}

const TYPES = [...INSTANCE_TYPES.values()];

export function describeInstanceTypes(query: Query): XmlValue {
  const page = list(query, {
    ids: query.list('InstanceType'),
    idParameter: 'instanceTypes',
    find: (name) => INSTANCE_TYPES.get(name),
    notFound: errors.invalidInstanceTypes,
    all: () => TYPES,
    position: (type) => TYPES.indexOf(type),
    filters: { values: { 'instance-type': (type) => type.name } },
  });
  return { instanceTypeSet: page.items.map(instanceTypeView), nextToken: page.nextToken };
}
