import type { ENIAttachmentSpec } from '../../api/eni-attachment.js';
import { blocked } from '../../api/reasons.js';
import type { Subnet } from '../../aws/ec2-gateway.js';
import type { Network } from '../../reconcilers/node-eni/network-resolver.js';
import type { DesiredAttachment } from '../../reconcilers/shared/desired-attachment.js';
import type { Decision } from './decision.js';
import type { PlannedSubnet, PlanProblem } from './plan-report.js';

/** The subnets in which the plan creates or deletes ENIs, or the NodeENI has some. */
export function subnetsOf({ plan, own, removed, network }: Decision): PlannedSubnet[] {
  const used = new Set([...own, ...plan.create].map(({ spec }) => spec.subnetID));
  for (const { missing } of plan.replace) for (const { spec } of missing) used.add(spec.subnetID);
  const known = new Map(network?.subnets.flatMap(({ subnets }) => subnets.map((s) => [s.id, s])));
  const replaced = plan.replace.flatMap(({ stale }) => stale);
  const added = [...plan.create, ...plan.replace.flatMap(({ missing }) => missing)];
  const inSubnet = (all: readonly { spec: ENIAttachmentSpec }[], id: string): number =>
    all.filter(({ spec }) => spec.subnetID === id).length;
  return [...used].sort().flatMap((id) => {
    const subnet = known.get(id);
    if (!subnet) return [];
    const change = inSubnet([...removed, ...replaced], id) - inSubnet(added, id);
    return [subnetView(subnet, change)];
  });
}

function subnetView(subnet: Subnet, change: number): PlannedSubnet {
  const { id, name, zone, availableAddresses } = subnet;
  return {
    subnetID: id,
    ...(name === undefined ? {} : { name }),
    zone,
    ...(availableAddresses === undefined
      ? {}
      : { availableAddresses, addressesLeft: Math.max(0, availableAddresses + change) }),
  };
}

/** EC2 reports a full subnet only when an ENI is created; here it can be computed. */
export function fullSubnets(
  subnets: readonly PlannedSubnet[],
  created: readonly DesiredAttachment[],
  network: Network | undefined,
): PlanProblem[] {
  if (!network) return [];
  return subnets.flatMap(({ subnetID, availableAddresses }) => {
    const wanted = created.filter(({ spec }) => spec.subnetID === subnetID).length;
    return availableAddresses !== undefined && wanted > availableAddresses
      ? [
          blocked(
            'SubnetFull',
            `Subnet ${subnetID} has ${availableAddresses} free addresses, and the plan needs ${wanted}`,
          ),
        ]
      : [];
  });
}
