import type { ActionName } from '../action-names.js';
import type { Query } from '../protocol/query.js';
import { associatedInterface } from '../region/elastic-ips.js';
import type { Eni } from '../region/model.js';
import type { Region } from '../region/region.js';
import type { AccessRequest } from './access-request.js';
import { contextOf, type RequestFacts } from './context.js';
import { newInterface, type Resource, resourceOf } from './resources.js';

type Resources = (query: Query, region: Region) => Resource[];

/** Where an action knows no resources, policies allow it for `*`. */
const anything: Resources = () => [{ arn: '*' }];

const theInterface: Resources = (query, region) => [
  resourceOf(region, query.required('NetworkInterfaceId')),
];
const theTagged: Resources = (query, region) =>
  query.list('ResourceId').map((id) => resourceOf(region, id));
const theGroups: Resources = (query, region) =>
  query.list('SecurityGroupId').map((id) => resourceOf(region, id));

/**
 * The resources that each action is authorized for, every one of them.
 * Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon EC2". A
 * resource that is optional there counts here as soon as the call touches it.
 */
const RESOURCES: Readonly<Record<Exclude<ActionName, 'CreateNetworkInterface'>, Resources>> = {
  AssignIpv6Addresses: theInterface,
  AssignPrivateIpAddresses: theInterface,
  AssociateAddress: (query, region) => [
    resourceOf(region, query.required('AllocationId')),
    ...theInterface(query, region),
    ...instanceOf(region.enis.writable(query.required('NetworkInterfaceId')), region),
  ],
  AttachNetworkInterface: (query, region) => [
    ...theInterface(query, region),
    resourceOf(region, query.required('InstanceId')),
  ],
  CreateTags: theTagged,
  DeleteNetworkInterface: theInterface,
  DeleteTags: theTagged,
  DescribeAddresses: anything,
  DescribeAvailabilityZones: anything,
  DescribeInstances: anything,
  DescribeInstanceTypes: anything,
  DescribeNetworkInterfaces: anything,
  DescribeSecurityGroups: anything,
  DescribeSecurityGroupVpcAssociations: anything,
  DescribeSubnets: anything,
  DescribeVpcs: anything,
  DetachNetworkInterface: (query, region) => {
    const eni = region.enis.byAttachment(query.required('AttachmentId'));
    return [resourceOf(region, eni?.id ?? 'eni-'), ...instanceOf(eni, region)];
  },
  DisassociateAddress: (query, region) => {
    const id = query.required('AssociationId');
    const eni = associatedInterface(id, region.enis.all());
    const association = eni?.associations.find((each) => each.id === id);
    return [
      resourceOf(region, association?.allocationId ?? 'eipalloc-'),
      resourceOf(region, eni?.id ?? 'eni-'),
      ...instanceOf(eni, region),
    ];
  },
  ModifyNetworkInterfaceAttribute: (query, region) => {
    const eni = region.enis.writable(query.required('NetworkInterfaceId'));
    return [
      ...theInterface(query, region),
      ...(eni ? [resourceOf(region, eni.subnetId)] : []),
      ...instanceOf(eni, region),
      ...theGroups(query, region),
    ];
  },
  UnassignIpv6Addresses: theInterface,
  UnassignPrivateIpAddresses: theInterface,
};

/**
 * What a policy is asked before the call is carried out.
 * @throws ApiError `MissingParameter` where the call does not say what it is about.
 */
export function accessRequestsOf(query: Query, region: Region): AccessRequest[] {
  const action = query.action as ActionName;
  if (action === 'CreateNetworkInterface') {
    return creationOf(query, region);
  }
  const tags = tagsIn(query);
  return RESOURCES[action](query, region).map((resource) =>
    accessRequest(action, resource, region, { tags }),
  );
}

/** The tags in a Create are asked about twice: as the ENI's that it makes, and as a CreateTags of its own. */
function creationOf(query: Query, region: Region): AccessRequest[] {
  const action = 'CreateNetworkInterface';
  const made = newInterface(region);
  const tags = query.structures('TagSpecification').flatMap(tagsIn);
  const where = [resourceOf(region, query.required('SubnetId')), ...theGroups(query, region)];
  return [
    accessRequest(action, made, region, { tags }),
    ...where.map((resource) => accessRequest(action, resource, region)),
    ...(tags.length > 0
      ? [accessRequest('CreateTags', made, region, { tags, createAction: action })]
      : []),
  ];
}

function accessRequest(
  action: ActionName,
  resource: Resource,
  region: Region,
  facts: RequestFacts = {},
): AccessRequest {
  const context = contextOf(resource, region, facts);
  return { action: `ec2:${action}`, resource: resource.arn, context };
}

function instanceOf(eni: Eni | undefined, region: Region): Resource[] {
  const id = eni?.attachment?.instanceId;
  return id === undefined ? [] : [resourceOf(region, id)];
}

function tagsIn(query: Query): NonNullable<RequestFacts['tags']> {
  return query
    .structures('Tag')
    .map((tag) => ({ key: tag.text('Key') ?? '', value: tag.text('Value') }));
}
