import { errors } from '../api-error.js';
import type { Query } from '../protocol/query.js';
import type { XmlValue } from '../protocol/xml.js';
import { associate, associationOf, dissociate } from '../region/elastic-ips.js';
import type { Association, ElasticIp, Eni } from '../region/model.js';
import type { Region } from '../region/region.js';
import { list } from './support/listing.js';
import { namedInterface } from './support/lookup.js';
import { elasticIpView } from './support/views.js';

/** An address as a read sees it: associations show as late as the ENIs that have them. */
interface Seen {
  address: ElasticIp;
  association: (Association & { eniId: string }) | undefined;
}

export function describeAddresses(query: Query, region: Region): XmlValue {
  const seen = (address: ElasticIp): Seen => ({
    address,
    association: associationOf(address, region.enis.visibleAll()),
  });
  const page = list<Seen>(query, {
    ids: query.list('AllocationId'),
    idParameter: 'allocationIds',
    idFilter: 'allocation-id',
    find: (id) => {
      const address = region.elasticIps.get(id);
      return address && seen(address);
    },
    notFound: errors.allocationsNotFound,
    all: () => [...region.elasticIps.values()].map(seen),
    position: ({ address }) => address.sequence,
    filters: {
      tags: ({ address }) => address.tags,
      values: {
        'allocation-id': ({ address }) => address.id,
        'association-id': ({ association }) => association?.id,
        'network-border-group': () => region.name,
        'network-interface-id': ({ association }) => association?.eniId,
        'network-interface-owner-id': ({ association }) => association && region.accountId,
        'private-ip-address': ({ association }) => association?.privateIpAddress,
        'public-ip': ({ address }) => address.publicIp,
      },
    },
  });
  return {
    addressesSet: page.items.map(({ address, association }) =>
      elasticIpView(region, address, association),
    ),
  };
}

/** By the ENI only: an instance with several ENIs cannot be named. */
export function associateAddress(query: Query, region: Region): XmlValue {
  const allocationId = query.required('AllocationId');
  const address = region.elasticIps.get(allocationId);
  if (!address) {
    throw errors.allocationsNotFound([allocationId]);
  }
  const eni = namedInterface(query, region);
  const privateIpAddress = privateAddress(query, eni);
  if (!region.vpcs.get(eni.vpcId)?.internetGateway) {
    throw errors.noInternetGateway(eni.vpcId);
  }
  const present = associationOf(address, region.enis.all());
  if (present?.eniId === eni.id && present.privateIpAddress === privateIpAddress) {
    return { return: true, associationId: present.id };
  }
  if (present && query.boolean('AllowReassociation') === false) {
    throw errors.alreadyAssociated(address.id, present.id);
  }
  return { return: true, associationId: associate(region, address, eni, privateIpAddress).id };
}

export function disassociateAddress(query: Query, region: Region): XmlValue {
  const associationId = query.required('AssociationId');
  if (!dissociate(region, associationId)) {
    throw errors.associationNotFound(associationId);
  }
  return { return: true };
}

function privateAddress(query: Query, eni: Eni): string {
  const [primary] = eni.privateIpAddresses;
  if (primary === undefined) {
    throw errors.invalidCombination(`The interface '${eni.id}' has no private IPv4 address`);
  }
  const named = query.text('PrivateIpAddress') ?? primary;
  if (!eni.privateIpAddresses.includes(named)) {
    throw errors.invalidValue(`The address ${named} is not assigned to interface '${eni.id}'`);
  }
  return named;
}
