import { associationOf } from './elastic-ips.js';
import {
  type Association,
  type ElasticIp,
  type Eni,
  type Instance,
  type SecurityGroup,
  type Subnet,
  statusOf,
  type Vpc,
} from './model.js';
import type { Region } from './region.js';

/** Everything as it is at one moment: what EC2 itself knows, past latency and eventual consistency. */
export interface SimulatorState {
  enis: (Eni & { status: 'available' | 'in-use' })[];
  instances: Instance[];
  subnets: (Subnet & { availableAddresses: number })[];
  securityGroups: SecurityGroup[];
  vpcs: Vpc[];
  elasticIps: (ElasticIp & { association?: Association & { eniId: string } })[];
}

export function stateOf(region: Region): SimulatorState {
  return {
    enis: [...region.enis.all()].map((eni) => ({ ...eni, status: statusOf(eni) })),
    instances: [...region.instances.values()],
    subnets: [...region.subnets.values()].map((subnet) => ({
      ...subnet,
      availableAddresses: region.availableAddresses(subnet.id),
    })),
    securityGroups: [...region.groups.values()],
    vpcs: [...region.vpcs.values()],
    elasticIps: [...region.elasticIps.values()].map((address) => {
      const association = associationOf(address, region.enis.all());
      return { ...address, ...(association ? { association } : {}) };
    }),
  };
}
