import type { ENIAttachment } from '../../api/eni-attachment.js';
import { MANAGER_NAME, TAGS } from '../../api/names.js';
import type { CreateEniRequest, Ec2Gateway } from '../../aws/ec2-gateway.js';
import type { EniChanges } from './plan-attachment.js';

/** The tags by which an ENI is known as the attachment's; they are put back where somebody takes them off. */
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
 * The Create call of an attachment's ENI: all tags are in it, for an ENI without them is nobody's. The
 * ClientToken is the attachment's UID, so that EC2 itself answers a repeated call with the same ENI; an ENI that
 * replaces a lost one has a token of its own.
 */
export function createRequestFor(attachment: ENIAttachment, clusterID: string): CreateEniRequest {
  const { metadata, spec, status } = attachment;
  const replacements = status?.replacements ?? 0;
  return {
    clientToken: replacements > 0 ? `${metadata.uid}-${replacements}` : metadata.uid,
    subnetId: spec.subnetID,
    securityGroupIds: spec.securityGroupIDs,
    ...(spec.description === undefined ? {} : { description: spec.description }),
    // An IPv6-only subnet has no IPv4 block, and gives an ENI no address unless it is asked for.
    ...(spec.subnetCIDR === undefined ? { ipv6AddressCount: 1 } : {}),
    tags: {
      ...spec.tags,
      [TAGS.name]: metadata.name,
      ...ownTags(attachment, clusterID),
    },
  };
}

/**
 * Sets tags of an ENI, then takes others away.
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
