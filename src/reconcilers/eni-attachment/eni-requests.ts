import type { ENIAttachment } from '../../api/eni-attachment.js';
import { MANAGER_NAME, TAGS } from '../../api/names.js';
import type { CreateEniRequest, Ec2Gateway } from '../../aws/ec2-gateway.js';
import type { EniInventory } from '../../aws/inventory/eni-inventory.js';
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
 * ClientToken is the attachment's UID, so that EC2 answers a repeated call with the same ENI; a replacement of a lost
 * ENI has its own token.
 */
export function createRequestFor(attachment: ENIAttachment, clusterID: string): CreateEniRequest {
  const { metadata, spec, status } = attachment;
  const replacements = status?.replacements ?? 0;
  return {
    clientToken: replacements > 0 ? `${metadata.uid}-${replacements}` : metadata.uid,
    subnetId: spec.subnetID,
    securityGroupIds: spec.securityGroupIDs,
    ...(spec.description === undefined ? {} : { description: spec.description }),
    // An IPv6-only subnet has no IPv4 block, and EC2 assigns an address only on request.
    ...(spec.subnetCIDR === undefined ? { ipv6AddressCount: 1 } : {}),
    ...(spec.connectionTracking ? { connectionTracking: spec.connectionTracking } : {}),
    tags: {
      ...spec.tags,
      [TAGS.name]: metadata.name,
      ...ownTags(attachment, clusterID),
    },
  };
}

/**
 * Sends the changes of an ENI to EC2, one call for each, and notes each for reads that do not show it yet.
 * @throws Ec2Error at the first that fails
 */
export async function applyChanges(
  changes: EniChanges,
  { gateway, inventory, eniId }: { gateway: Ec2Gateway; inventory: EniInventory; eniId: string },
): Promise<void> {
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
  if (tags) {
    await setTags(gateway, eniId, tags);
    inventory.modified(eniId, { tags });
  }
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
