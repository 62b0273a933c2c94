import type { ENIAttachment } from '../../api/eni-attachment.js';
import { MANAGER_NAME, TAGS } from '../../api/names.js';
import type { AddressSet, CreateEniRequest, Ec2Gateway } from '../../aws/ec2-gateway.js';
import type { EniInventory } from '../../aws/inventory/eni-inventory.js';
import { type AddressChanges, addressesInCreate } from './addresses/plan-addresses.js';
import type { EniChanges } from './plan-attachment.js';

/** The tags that mark an ENI as the attachment's; they are restored if they are removed. */
export function ownTags(
  { metadata, spec }: ENIAttachment,
  clusterID: string,
): Record<string, string> {
  return {
    [TAGS.attachmentUID]: metadata.uid,
    [TAGS.clusterID]: clusterID,
    [TAGS.nodeENI]: spec.nodeENI,
    [TAGS.node]: spec.nodeName,
    [TAGS.managedBy]: MANAGER_NAME,
    [TAGS.noManage]: 'true',
  };
}

/**
 * The Create call of an attachment's ENI. It includes all tags, because an ENI without them has no owner. The
 * ClientToken is the attachment's UID, so that EC2 returns the same ENI for a repeated call; a replacement of
 * a lost ENI has its own token.
 */
export function createRequestFor(attachment: ENIAttachment, clusterID: string): CreateEniRequest {
  const { metadata, spec, status } = attachment;
  const replacements = status?.replacements ?? 0;
  return {
    clientToken: replacements > 0 ? `${metadata.uid}-${replacements}` : metadata.uid,
    subnetId: spec.subnetID,
    securityGroupIds: spec.securityGroupIDs,
    ...(spec.description === undefined ? {} : { description: spec.description }),
    ...addressesInCreate(spec),
    ...(spec.connectionTracking ? { connectionTracking: spec.connectionTracking } : {}),
    tags: {
      ...spec.tags,
      [TAGS.name]: metadata.name,
      ...ownTags(attachment, clusterID),
    },
  };
}

export interface ChangeTarget {
  gateway: Ec2Gateway;
  inventory: EniInventory;
  eniId: string;
}

/**
 * Sends the changes of an ENI to EC2, one call each, and records each in the inventory, for reads that do not
 * show it yet.
 * @throws Ec2Error of the first call that fails
 */
export async function applyChanges(changes: EniChanges, target: ChangeTarget): Promise<void> {
  const { gateway, inventory, eniId } = target;
  const { deleteOnTermination, securityGroupIds, description, tags } = changes;
  const { sourceDestCheck, connectionTracking, enaExpress, primaryIpv6 } = changes;
  if (deleteOnTermination) {
    const { attachmentId, value } = deleteOnTermination;
    await gateway.setDeleteOnTermination(eniId, attachmentId, value);
    inventory.modified(eniId, { deleteOnTermination: value });
  }
  if (securityGroupIds) {
    await gateway.setSecurityGroups(eniId, securityGroupIds);
    inventory.modified(eniId, { securityGroupIds: [...securityGroupIds] });
  }
  if (description !== undefined) {
    await gateway.setDescription(eniId, description);
    inventory.modified(eniId, { description });
  }
  if (sourceDestCheck !== undefined) {
    await gateway.setSourceDestCheck(eniId, sourceDestCheck);
    inventory.modified(eniId, { sourceDestCheck });
  }
  if (connectionTracking) {
    await gateway.setConnectionTracking(eniId, connectionTracking);
    inventory.modified(eniId, { connectionTracking });
  }
  if (enaExpress) {
    await gateway.setEnaExpress(eniId, enaExpress);
    inventory.modified(eniId, { enaExpress });
  }
  if (primaryIpv6) {
    await gateway.enablePrimaryIpv6(eniId);
    inventory.modified(eniId, { primaryIpv6 });
  }
  await applyAddressChanges(changes, target);
  if (tags) {
    await setTags(gateway, eniId, tags);
    inventory.modified(eniId, { tags });
  }
}

/** Unassigns first: the instance type limits how many addresses the ENI can have. */
async function applyAddressChanges(
  { unassignIpv4, assignIpv4, unassignIpv6, assignIpv6 }: AddressChanges,
  { gateway, inventory, eniId }: ChangeTarget,
): Promise<void> {
  const ipv4 = (): AddressSet => {
    const { privateIpAddresses: addresses = [], ipv4Prefixes: prefixes = [] } =
      inventory.get(eniId) ?? {};
    return { addresses, prefixes };
  };
  const ipv6 = (): AddressSet => {
    const { ipv6Addresses: addresses = [], ipv6Prefixes: prefixes = [] } =
      inventory.get(eniId) ?? {};
    return { addresses, prefixes };
  };
  if (unassignIpv4) {
    await gateway.unassignIpv4(eniId, unassignIpv4);
    inventory.modified(eniId, { ipv4: without(ipv4(), unassignIpv4) });
  }
  if (assignIpv4) {
    const assigned = await gateway.assignIpv4(eniId, assignIpv4);
    inventory.modified(eniId, { ipv4: union(ipv4(), assigned) });
  }
  if (unassignIpv6) {
    await gateway.unassignIpv6(eniId, unassignIpv6);
    inventory.modified(eniId, { ipv6: without(ipv6(), unassignIpv6) });
  }
  if (assignIpv6) {
    const assigned = await gateway.assignIpv6(eniId, assignIpv6);
    inventory.modified(eniId, { ipv6: union(ipv6(), assigned) });
  }
}

function without(all: AddressSet, some: AddressSet): AddressSet {
  return {
    addresses: all.addresses.filter((each) => !some.addresses.includes(each)),
    prefixes: all.prefixes.filter((each) => !some.prefixes.includes(each)),
  };
}

function union(a: AddressSet, b: AddressSet): AddressSet {
  return {
    addresses: [...new Set([...a.addresses, ...b.addresses])],
    prefixes: [...new Set([...a.prefixes, ...b.prefixes])],
  };
}

/**
 * Sets tags of an ENI, then removes others.
 * @throws Ec2Error
 */
export async function setTags(
  gateway: Ec2Gateway,
  eniId: string,
  { set, remove }: NonNullable<EniChanges['tags']>,
): Promise<void> {
  if (Object.keys(set).length > 0) {
    await gateway.setTags(eniId, set);
  }
  if (remove.length > 0) {
    await gateway.removeTags(eniId, remove);
  }
}
