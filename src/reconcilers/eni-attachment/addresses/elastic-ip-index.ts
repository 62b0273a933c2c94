import { ENI_ATTACHMENT_CONDITIONS } from '../../../api/conditions.js';
import type { ENIAttachment } from '../../../api/eni-attachment.js';
import type { BlockedReason } from '../../../api/reasons.js';
import { findCondition } from '../../../runtime/kube/conditions.js';

/** Index of the attachments: by the allocation id of the address that each records, or {@link NO_ELASTIC_IP}. */
export const ELASTIC_IP_INDEX = 'elasticIP';
/** Value of the index for attachments that wait for a free address. */
export const NO_ELASTIC_IP = 'none';

const UNAVAILABLE: BlockedReason = 'ElasticIPUnavailable';

/** The values of {@link ELASTIC_IP_INDEX} for an attachment. */
export function elasticIpKeys(attachment: ENIAttachment): string[] {
  const { allocationID } = attachment.status?.elasticIP ?? {};
  const isWaiting =
    findCondition(attachment, ENI_ATTACHMENT_CONDITIONS.ready)?.reason === UNAVAILABLE;
  return [
    ...(allocationID === undefined ? [] : [allocationID]),
    ...(isWaiting ? [NO_ELASTIC_IP] : []),
  ];
}
