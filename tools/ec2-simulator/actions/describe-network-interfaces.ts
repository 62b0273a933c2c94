import { errors } from '../api-error.js';
import type { Query } from '../protocol/query.js';
import type { XmlValue } from '../protocol/xml.js';
import { checkId } from '../region/ids.js';
import { type Attachment, type Eni, statusOf } from '../region/model.js';
import type { Region } from '../region/region.js';
import type { FilterTable, FilterValue } from './support/filters.js';
import { list } from './support/listing.js';
import { interfaceView } from './support/views.js';

const ofAttachment =
  (read: (attachment: Attachment) => FilterValue) =>
  ({ attachment }: Eni): FilterValue =>
    attachment && read(attachment);

function filters(region: Region): FilterTable<Eni> {
  return {
    tags: (eni) => eni.tags,
    values: {
      'network-interface-id': (eni) => eni.id,
      'subnet-id': (eni) => eni.subnetId,
      'vpc-id': (eni) => eni.vpcId,
      'availability-zone': (eni) => eni.zone,
      status: statusOf,
      description: (eni) => eni.description,
      'interface-type': (eni) => eni.interfaceType,
      'mac-address': (eni) => eni.macAddress,
      'owner-id': () => region.accountId,
      'requester-managed': (eni) => eni.requesterManaged,
      'source-dest-check': (eni) => eni.sourceDestCheck,
      'private-ip-address': (eni) => eni.privateIpAddresses,
      'addresses.private-ip-address': (eni) => eni.privateIpAddresses,
      'ipv6-addresses.ipv6-address': (eni) => eni.ipv6Addresses,
      'group-id': (eni) => eni.groupIds,
      'group-name': (eni) => eni.groupIds.flatMap((id) => region.groups.get(id)?.name ?? []),
      'attachment.attachment-id': ofAttachment(({ id }) => id),
      'attachment.instance-id': ofAttachment(({ instanceId }) => instanceId),
      'attachment.instance-owner-id': ofAttachment(({ instanceId }) =>
        instanceId ? region.accountId : 'amazon-elb',
      ),
      'attachment.device-index': ofAttachment(({ deviceIndex }) => deviceIndex),
      'attachment.status': ofAttachment(({ status }) => status),
      'attachment.delete-on-termination': ofAttachment(
        ({ deleteOnTermination }) => deleteOnTermination,
      ),
    },
  };
}

export function describeNetworkInterfaces(query: Query, region: Region): XmlValue {
  const page = list<Eni>(query, {
    ids: query.list('NetworkInterfaceId').map((id) => checkId('interface', id)),
    idParameter: 'networkInterfaceIds',
    idFilter: 'network-interface-id',
    find: (id) => region.enis.visible(id),
    notFound: errors.interfacesNotFound,
    all: () => region.enis.visibleAll(),
    position: (eni) => eni.sequence,
    filters: filters(region),
  });
  return {
    networkInterfaceSet: page.items.map((eni) => interfaceView(region, eni)),
    nextToken: page.nextToken,
  };
}
