import type { NodeENISpec } from '../../api/node-eni.js';
import { type Blocked, blocked } from '../../api/reasons.js';
import type { NetworkCatalog } from '../../aws/catalog/network-catalog.js';
import type { SecurityGroup, Subnet, SubnetQuery } from '../../aws/ec2-gateway.js';
import { answerOrBlocked, isBlocked } from '../shared/blocked.js';

/**
 * One entry of the NodeENI's subnets. An id means one subnet; a name may mean several, of which a node uses
 * the one in its Availability Zone.
 */
export interface SubnetChoice {
  /** As the user wrote it: a subnet id or a name. */
  entry: string;
  subnets: Subnet[];
}

/** The query for the subnets that a NodeENI names. */
export function subnetQuery(spec: NodeENISpec): SubnetQuery {
  const ids = spec.subnetIDs ?? (spec.subnetID === undefined ? undefined : [spec.subnetID]);
  return ids ? { ids } : { names: spec.subnetNames ?? [spec.subnetName ?? ''] };
}

/** Assigns the found subnets to the NodeENI's entries, in its order; blocked where an entry has no subnet. */
export function chooseSubnets(
  query: SubnetQuery,
  found: readonly Subnet[],
): SubnetChoice[] | Blocked {
  const byId = 'ids' in query;
  const choices = (byId ? query.ids : query.names).map((entry) => ({
    entry,
    subnets: found.filter((subnet) => (byId ? subnet.id : subnet.name) === entry),
  }));
  const unknown = choices.filter(({ subnets }) => subnets.length === 0);
  if (unknown.length > 0) {
    return blocked(
      'SubnetNotFound',
      `EC2 has no subnet ${byId ? 'with the id' : 'named'} ${quoted(unknown.map(({ entry }) => entry))}`,
    );
  }
  return choices;
}

/** The VPCs in which to look up a NodeENI's security groups by name. */
export function vpcsOf(choices: readonly SubnetChoice[]): string[] {
  return [...new Set(choices.flatMap(({ subnets }) => subnets.map(({ vpcId }) => vpcId)))];
}

/** The ids of the groups for an ENI in `subnet`, in the NodeENI's order; blocked where one does not fit. */
export function chooseSecurityGroups(
  spec: NodeENISpec,
  found: readonly SecurityGroup[],
  subnet: Subnet,
): string[] | Blocked {
  const ids: string[] = [];
  for (const entry of spec.securityGroupNames ?? spec.securityGroupIDs ?? []) {
    const named = found.filter(({ id, name }) => (spec.securityGroupNames ? name : id) === entry);
    const fitting = named.find(({ vpcId }) => vpcId === subnet.vpcId);
    if (fitting) {
      ids.push(fitting.id);
    } else if (named[0]) {
      return blocked(
        'SecurityGroupVpcMismatch',
        `Security group ${named[0].id} belongs to ${named[0].vpcId}, subnet ${subnet.id} to ${subnet.vpcId}`,
      );
    } else {
      return blocked(
        'SecurityGroupNotFound',
        `EC2 has no security group ${spec.securityGroupNames ? 'named' : 'with the id'} ${quoted([entry])} in ${subnet.vpcId}`,
      );
    }
  }
  return ids;
}

/**
 * Decides which subnets a node in `zone` gets: of each entry, in the NodeENI's order, the subnet in that zone,
 * if there is one. A name that two subnets of the zone share is ambiguous.
 */
export function subnetsInZone(choices: readonly SubnetChoice[], zone: string): Subnet[] | Blocked {
  const subnets: Subnet[] = [];
  for (const { entry, subnets: candidates } of choices) {
    const [first, second] = candidates.filter((subnet) => subnet.zone === zone);
    if (first && second) {
      return blocked(
        'SubnetNameAmbiguous',
        `Subnets ${first.id} and ${second.id} in ${zone} are both named ${quoted([entry])}`,
      );
    }
    if (first) {
      subnets.push(first);
    }
  }
  if (subnets.length === 0) {
    const zones = new Set(choices.flatMap((choice) => choice.subnets.map((subnet) => subnet.zone)));
    return blocked(
      'NoSubnetInZone',
      `None of the subnets is in ${zone}; they are in ${[...zones].sort().join(', ')}`,
    );
  }
  return subnets;
}

function quoted(names: readonly string[]): string {
  return names.map((name) => JSON.stringify(name)).join(', ');
}

/** Looks up the subnets and security groups that a NodeENI names. {@link subnetsInZone} picks a node's. */
export class NetworkResolver {
  constructor(private readonly catalog: NetworkCatalog) {}

  /**
   * The subnets and groups, or what the user has to correct about them.
   * @throws Ec2Error where a retry may help
   */
  resolve(spec: NodeENISpec): Promise<Network | Blocked> {
    return answerOrBlocked(this.lookUp(spec));
  }

  private async lookUp(spec: NodeENISpec): Promise<Network | Blocked> {
    const { securityGroupIDs: ids, securityGroupNames: names = [] } = spec;
    const query = subnetQuery(spec);
    const [found, groupsById] = await Promise.all([
      this.catalog.subnets(query),
      // Names are unique within a VPC only, so they wait for the subnets; ids need not.
      ids && this.catalog.securityGroups({ ids }),
    ]);
    const subnets = chooseSubnets(query, found);
    if (isBlocked(subnets)) {
      return subnets;
    }
    const securityGroups = groupsById ?? (await this.groupsNamed(names, vpcsOf(subnets)));
    return { subnets, securityGroups };
  }

  private async groupsNamed(names: string[], vpcIds: string[]): Promise<SecurityGroup[]> {
    const found = vpcIds.map((vpcId) => this.catalog.securityGroups({ names, vpcId }));
    return (await Promise.all(found)).flat();
  }
}

/** The subnets and groups that a NodeENI names, as EC2 describes them. */
export interface Network {
  subnets: SubnetChoice[];
  securityGroups: SecurityGroup[];
}
