import type { NodeENISpec } from '../../api/node-eni.js';
import type { Blocked } from '../../api/reasons.js';
import type { NetworkCatalog } from '../../aws/catalog/network-catalog.js';
import type { SecurityGroup } from '../../aws/ec2-gateway.js';
import { answerOrBlocked } from '../shared/blocked.js';
import { chooseSubnets, subnetQuery, vpcsOf } from './network-choice.js';
import type { Network } from './plan-node-eni.js';

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
