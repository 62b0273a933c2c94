import { UserError, type UserErrorReason } from '../aws/ec2-errors.js';
import type { Instance, SecurityGroup, Subnet } from '../aws/ec2-gateway.js';
import type { Ec2Calls } from './ec2-calls.js';
import type { CallOptions, SecurityGroupName, SubnetName, SubnetQueryOptions } from './requests.js';

/** @throws UserError with the reason `SubnetNotFound`, or `InvalidRequest` if several have the name */
export async function subnetBy(
  calls: Ec2Calls,
  wanted: SubnetName,
  { zone, vpcId, signal }: SubnetQueryOptions,
): Promise<Subnet> {
  const query = 'id' in wanted ? { ids: [wanted.id] } : { names: [wanted.name] };
  const found = await calls.run(signal, (ec2) => ec2.describeSubnets(query));
  const fitting = found.filter(
    (subnet) =>
      (zone === undefined || subnet.zone === zone) &&
      (vpcId === undefined || subnet.vpcId === vpcId),
  );
  const place = [zone, vpcId].filter((part) => part !== undefined).join(' of ');
  return only(fitting, {
    action: 'DescribeSubnets',
    reason: 'SubnetNotFound',
    what: `subnet ${described(wanted)}${place ? ` in ${place}` : ''}`,
    several: 'Specify its id, or its zone and VPC',
  });
}

/** @throws UserError with the reason `SecurityGroupNotFound`, or `InvalidRequest` if several have the name */
export async function securityGroupBy(
  calls: Ec2Calls,
  wanted: SecurityGroupName,
  { vpcId, signal }: { vpcId: string } & CallOptions,
): Promise<SecurityGroup> {
  const query = 'id' in wanted ? { ids: [wanted.id] } : { names: [wanted.name], vpcId };
  const found = await calls.run(signal, (ec2) => ec2.describeSecurityGroups(query));
  return only(found, {
    action: 'DescribeSecurityGroups',
    reason: 'SecurityGroupNotFound',
    what: `security group ${described(wanted)}${'id' in wanted ? '' : ` in ${vpcId}`}`,
    several: 'Specify its id',
  });
}

/** @throws UserError with the reason `InvalidRequest` if EC2 does not know the instance */
export async function instanceBy(
  calls: Ec2Calls,
  instanceId: string,
  { signal }: CallOptions,
): Promise<Instance> {
  const found = await calls.run(signal, (ec2) => ec2.describeInstances([instanceId]));
  return only(found, {
    action: 'DescribeInstances',
    reason: 'InvalidRequest',
    what: `instance ${instanceId}`,
    several: '',
  });
}

interface Wanted {
  action: string;
  reason: UserErrorReason;
  what: string;
  several: string;
}

function only<T>(found: readonly T[], { action, reason, what, several }: Wanted): T {
  const [first, ...others] = found;
  if (first === undefined) {
    throw new UserError({ action, code: 'NotFound', message: `There is no ${what}` }, reason);
  }
  if (others.length > 0) {
    const message = `There are ${found.length} of ${what}. ${several}`;
    throw new UserError({ action, code: 'Ambiguous', message }, 'InvalidRequest');
  }
  return first;
}

function described(wanted: { id: string } | { name: string }): string {
  return 'id' in wanted ? wanted.id : `named ${JSON.stringify(wanted.name)}`;
}
