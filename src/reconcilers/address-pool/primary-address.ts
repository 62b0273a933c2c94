import { ENI_ATTACHMENT_CONDITIONS } from '../../api/conditions.js';
import type { ENIAttachment } from '../../api/eni-attachment.js';
import { findCondition } from '../../runtime/kube/conditions.js';

/** The primary IPv4 address that the attachment's ENI has, or else the requested one. */
export function primaryAddressOf({ spec, status }: ENIAttachment): string | undefined {
  return status?.privateIPAddresses?.[0] ?? spec.privateIPAddress;
}

/** Whether EC2 refused to create the attachment's ENI because something else has the address. */
export function isAddressTaken(attachment: ENIAttachment): boolean {
  const ready = findCondition(attachment, ENI_ATTACHMENT_CONDITIONS.ready);
  return ready?.reason === 'AddressTaken' && attachment.status?.eniID === undefined;
}
