import { errors } from '../../api-error.js';
import type { Query } from '../../protocol/query.js';
import { checkAttachmentId, checkId } from '../../region/ids.js';
import type { Attachment, Eni, Instance } from '../../region/model.js';
import type { Region } from '../../region/region.js';

/**
 * The ENI that the request names, as a write sees it.
 * @throws ApiError where the id is missing, malformed, unknown, or not yet propagated.
 */
export function namedInterface(query: Query, region: Region): Eni {
  const id = checkId('interface', query.required('NetworkInterfaceId'));
  const eni = region.enis.writable(id);
  if (!eni) {
    throw errors.interfacesNotFound([id]);
  }
  return eni;
}

/** @throws ApiError where the id is missing, malformed or unknown. */
export function namedInstance(query: Query, region: Region): Instance {
  const id = checkId('instance', query.required('InstanceId'));
  const instance = region.instances.get(id);
  if (!instance) {
    throw errors.instancesNotFound([id]);
  }
  return instance;
}

/** @throws ApiError where the id is malformed, or no ENI has this attachment. */
export function attachedInterface(
  region: Region,
  attachmentId: string,
): Eni & { attachment: Attachment } {
  const eni = region.enis.byAttachment(checkAttachmentId(attachmentId));
  if (!eni?.attachment) {
    throw errors.attachmentNotFound(attachmentId);
  }
  return { ...eni, attachment: eni.attachment };
}

/**
 * Groups for an ENI of a VPC: one at least, each must be there and of this VPC.
 * @param notFound EC2 has one code for this at Create, and another elsewhere.
 */
export function checkGroups(
  region: Region,
  vpcId: string,
  ids: readonly string[],
  notFound: (id: string) => Error,
): string[] {
  const limit = region.settings.quota.groupsPerInterface;
  const unique = [...new Set(ids)];
  if (unique.length === 0) {
    throw errors.invalidValue('The list of security groups cannot be empty');
  }
  for (const id of unique) {
    const group = region.groups.get(checkId('group', id));
    if (!group) {
      throw notFound(id);
    }
    if (group.vpcId !== vpcId && !group.associatedVpcIds?.includes(vpcId)) {
      throw errors.foreignGroup();
    }
  }
  if (unique.length > limit) {
    throw errors.tooManyGroups(limit);
  }
  return unique;
}
