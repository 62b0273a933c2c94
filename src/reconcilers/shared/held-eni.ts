import type { ENIAttachment } from '../../api/eni-attachment.js';
import { ADOPTED_ENI_ANNOTATION } from '../../api/go-controller.js';

/** The ENI that the attachment was created for, unless it was lost. */
export function adoptedEni({ metadata, status }: ENIAttachment): string | undefined {
  return status?.replacements === undefined
    ? metadata.annotations?.[ADOPTED_ENI_ANNOTATION]
    : undefined;
}

/** The ENI that the attachment records. */
export function heldEni(attachment: ENIAttachment): string | undefined {
  return attachment.status?.eniID ?? adoptedEni(attachment);
}

/** The ENI that the attachment was created for and that its status does not contain yet. */
export function unclaimedEni(attachment: ENIAttachment): string | undefined {
  return attachment.status?.eniID === undefined ? adoptedEni(attachment) : undefined;
}
