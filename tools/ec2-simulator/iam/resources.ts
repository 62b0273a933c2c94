import type { Tags } from '../region/model.js';
import type { Region } from '../region/region.js';

/** A resource as policies know it. */
export interface Resource {
  arn: string;
  /** Tags and network as they are; a resource that is not there has none. */
  tags?: Tags | undefined;
  vpcId?: string | undefined;
  subnetId?: string | undefined;
}

type Lookup = (region: Region, id: string) => Omit<Resource, 'arn'> | undefined;

interface ResourceType {
  /** As ARNs have it. */
  name: string;
  find: Lookup;
}

/** By the prefix of their ids. */
const TYPES: Readonly<Record<string, ResourceType>> = {
  eni: { name: 'network-interface', find: ({ enis }, id) => enis.writable(id) },
  eipalloc: { name: 'elastic-ip', find: ({ elasticIps }, id) => tagsOnly(elasticIps.get(id)) },
  i: { name: 'instance', find: ({ instances }, id) => tagsOnly(instances.get(id)) },
  sg: { name: 'security-group', find: ({ groups }, id) => groups.get(id) },
  subnet: {
    name: 'subnet',
    find: ({ subnets }, id) => {
      const subnet = subnets.get(id);
      return subnet && { tags: subnet.tags, vpcId: subnet.vpcId };
    },
  },
  vpc: { name: 'vpc', find: ({ vpcs }, id) => tagsOnly(vpcs.get(id)) },
};

/** The resource of this id, in the account of the simulator; of whatever type, where it has none of ours. */
export function resourceOf(region: Region, id: string): Resource {
  const type = TYPES[id.slice(0, id.indexOf('-'))];
  const { tags, vpcId, subnetId } = type?.find(region, id) ?? {};
  return { arn: arnOf(region, type?.name ?? 'unknown', id), tags, vpcId, subnetId };
}

/** The ENI that a call creates: before the call it has an ARN without an id, and no tags. */
export function newInterface(region: Region): Resource {
  return { arn: arnOf(region, 'network-interface', '*') };
}

/** ARN of a VPC or a subnet, as condition keys have it. */
export function arnOf({ name, accountId }: Region, type: string, id: string): string {
  return `arn:aws:ec2:${name}:${accountId}:${type}/${id}`;
}

/** Policies cannot ask for the network of these. */
function tagsOnly(resource: { tags: Tags } | undefined): { tags: Tags } | undefined {
  return resource && { tags: resource.tags };
}
