import { errors } from '../api-error.js';
import type { InstanceSpec, InterfaceSpec } from '../config/specs.js';
import { INSTANCE_TYPES } from './instance-types.js';
import { createInterface } from './interfaces.js';
import type { Attachment, Eni, Instance, Subnet } from './model.js';
import type { Region } from './region.js';

/** Adds an instance with its launch ENI, and the ENIs that something else has given it. */
export function launchInstance(region: Region, spec: InstanceSpec): Instance {
  const subnet = subnetFor(region, spec);
  const type = spec.type ?? 'm5.large';
  if (!INSTANCE_TYPES.has(type)) {
    throw errors.invalidInstanceTypes([type]);
  }
  const id = spec.id ?? region.newId('i');
  const groupIds = defaultGroups(region, subnet);
  const launchEni = createInterface(region, { subnetId: subnet.id, groupIds });
  const address = launchEni.privateIpAddresses[0] ?? '';
  const instance: Instance = {
    id,
    sequence: region.nextSequence(),
    type,
    state: spec.state ?? 'running',
    zone: subnet.zone,
    subnetId: subnet.id,
    vpcId: subnet.vpcId,
    privateIpAddress: address,
    privateDnsName: spec.privateDnsName ?? privateDnsName(address, region.name),
    launchTime: region.clock.now(),
    managed: spec.managed ?? false,
    tags: { ...spec.tags, ...(spec.name === undefined ? {} : { Name: spec.name }) },
  };
  region.instances.set(id, instance);
  putAttached(region, launchEni, { instanceId: id, deleteOnTermination: true });
  for (const extra of spec.extraInterfaces ?? []) {
    const eni = createInterface(region, {
      subnetId: subnet.id,
      groupIds,
      ...(extra.description === undefined ? {} : { description: extra.description }),
      ...(extra.tags ? { tags: extra.tags } : {}),
      addresses: { secondaryCount: extra.secondaryAddresses ?? 0 },
    });
    putAttached(region, eni, {
      instanceId: id,
      deviceIndex: extra.deviceIndex,
      networkCardIndex: extra.networkCardIndex ?? 0,
      deleteOnTermination: true,
    });
  }
  return instance;
}

/** Adds a foreign ENI without any check, attached at once when the spec says so. */
export function addForeignInterface(region: Region, spec: InterfaceSpec): Eni {
  const { attachment, securityGroupIds, subnetId, ...rest } = spec;
  const instance = attachment?.instanceId ? region.instances.get(attachment.instanceId) : undefined;
  const subnet = subnetFor(region, { subnetId: subnetId ?? instance?.subnetId });
  const eni = createInterface(region, {
    ...rest,
    subnetId: subnet.id,
    groupIds: securityGroupIds ?? defaultGroups(region, subnet),
  });
  return attachment ? putAttached(region, eni, attachment) : eni;
}

function putAttached(region: Region, eni: Eni, spec: Partial<Attachment>): Eni {
  const attached: Eni = {
    ...eni,
    attachment: {
      deviceIndex: 0,
      networkCardIndex: 0,
      deleteOnTermination: false,
      ...spec,
      id: region.newId(eni.requesterManaged ? 'ela-attach' : 'eni-attach'),
      status: 'attached',
      attachTime: region.clock.now(),
    },
  };
  region.enis.put(attached);
  return attached;
}

function subnetFor(
  region: Region,
  { subnetId, zone }: { subnetId?: string | undefined; zone?: string | undefined },
): Subnet {
  const subnet =
    subnetId === undefined
      ? [...region.subnets.values()].find(
          (candidate) => zone === undefined || candidate.zone === zone,
        )
      : region.subnets.get(subnetId);
  if (!subnet) {
    throw errors.subnetsNotFound([subnetId ?? `in ${zone ?? region.name}`]);
  }
  return subnet;
}

function defaultGroups(region: Region, subnet: Subnet): string[] {
  const group = region.defaultGroup(subnet.vpcId);
  return group ? [group.id] : [];
}

/** EC2's IP-based host name. */
export function privateDnsName(address: string, region: string): string {
  const domain = region === 'us-east-1' ? 'ec2.internal' : `${region}.compute.internal`;
  return `ip-${address.replaceAll('.', '-')}.${domain}`;
}
