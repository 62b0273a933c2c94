import type { NodeENISpec } from '../../api/node-eni.js';
import { type Blocked, blocked } from '../../api/reasons.js';
import type { NetworkCatalog } from '../../aws/catalog/network-catalog.js';
import type { SecurityGroup, Subnet, SubnetQuery } from '../../aws/ec2-gateway.js';
import { answerOrBlocked } from '../shared/blocked.js';

/**
 * One entry of the NodeENI's subnets: an id gives one subnet, a name may give several. A node uses the one
 * of its Availability Zone.
 */
export interface SubnetChoice {
  /** As the user wrote it: a subnet id or a name. */
  asked: string;
  subnets: Subnet[];
}

/** What to ask EC2 for, to know the subnets that a NodeENI names. */
export function subnetQuery(spec: NodeENISpec): SubnetQuery {
  const ids = spec.subnetIDs ?? (spec.subnetID === undefined ? undefined : [spec.subnetID]);
  return ids ? { ids } : { names: spec.subnetNames ?? [spec.subnetName ?? ''] };
}

/** The found subnets, put to the names in the NodeENI's order; or the name that none answers to. */
export function chooseSubnets(
  query: SubnetQuery,
  found: readonly Subnet[],
): SubnetChoice[] | Blocked {
  const byId = 'ids' in query;
  const choices = (byId ? query.ids : query.names).map((asked) => ({
    asked,
    subnets: found.filter((subnet) => (byId ? subnet.id : subnet.name) === asked),
  }));
  const unknown = choices.filter(({ subnets }) => subnets.length === 0);
  if (unknown.length > 0) {
    return blocked(
      'SubnetNotFound',
      `EC2 has no subnet ${byId ? 'with the id' : 'named'} ${quoted(unknown.map(({ asked }) => asked))}`,
    );
  }
  return choices;
}

/** The VPCs in which a NodeENI's security groups may be named. */
export function vpcsOf(choices: readonly SubnetChoice[]): string[] {
  return [...new Set(choices.flatMap(({ subnets }) => subnets.map(({ vpcId }) => vpcId)))];
}

/** The ids of the groups for an ENI in `subnet`, in the NodeENI's order; or the one that does not fit. */
export function chooseSecurityGroups(
  spec: NodeENISpec,
  found: readonly SecurityGroup[],
  subnet: Subnet,
): string[] | Blocked {
  const ids: string[] = [];
  for (const asked of spec.securityGroupNames ?? spec.securityGroupIDs ?? []) {
    const named = found.filter(({ id, name }) => (spec.securityGroupNames ? name : id) === asked);
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
        `EC2 has no security group ${spec.securityGroupNames ? 'named' : 'with the id'} ${quoted([asked])} in ${subnet.vpcId}`,
      );
    }
  }
  return ids;
}

/**
 * The subnets of a node in `zone`, in the NodeENI's order: of each entry the one that lies in the zone,
 * none where none does. A name that two subnets of the zone share is ambiguous.
 */
export function subnetsInZone(choices: readonly SubnetChoice[], zone: string): Subnet[] | Blocked {
  const subnets: Subnet[] = [];
  for (const { asked, subnets: candidates } of choices) {
    const [first, second] = candidates.filter((subnet) => subnet.zone === zone);
    if (first && second) {
      return blocked(
        'SubnetNameAmbiguous',
        `Subnets ${first.id} and ${second.id} in ${zone} are both named ${quoted([asked])}`,
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
      `None of the subnets lies in ${zone}; they lie in ${[...zones].sort().join(', ')}`,
    );
  }
  return subnets;
}

function quoted(names: readonly string[]): string {
  return names.map((name) => JSON.stringify(name)).join(', ');
}

/** Finds out what a NodeENI's names of subnets and security groups mean in EC2. */
export class NetworkResolver {
  constructor(private readonly catalog: NetworkCatalog) {}

  /**
   * The subnets and groups, or what about them somebody has to correct.
   * @throws Ec2Error where trying again may help
   */
  resolve(spec: NodeENISpec): Promise<Network | Blocked> {
    return answerOrBlocked(this.lookUp(spec));
  }

  private async lookUp(spec: NodeENISpec): Promise<Network | Blocked> {
    const { securityGroupIDs: ids, securityGroupNames: names = [] } = spec;
    const query = subnetQuery(spec);
    const [found, groupsById] = await Promise.all([
      this.catalog.subnets(query),
      // Ids need not wait for the subnets; names mean something only in the subnets' VPCs.
      ids && this.catalog.securityGroups({ ids }),
    ]);
    const subnets = chooseSubnets(query, found);
    if ('reason' in subnets) {
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

/** The subnets and groups that a NodeENI names, as EC2 knows them. */
export interface Network {
  subnets: SubnetChoice[];
  securityGroups: SecurityGroup[];
}
