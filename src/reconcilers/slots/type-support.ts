import type { ENIAttachmentSpec } from '../../api/eni-attachment.js';
import { type Blocked, blocked } from '../../api/reasons.js';
import type { Instance, InstanceTypeLimits } from '../../aws/ec2-gateway.js';

/**
 * What the attachment asks for that the instance's type does not have, or `undefined`. What EC2 does not say of a type
 * is left to EC2.
 */
export function typeFault(
  { enaExpress, nodeName, instanceID }: ENIAttachmentSpec,
  { type }: Instance,
  limits: InstanceTypeLimits,
): Blocked | undefined {
  if (enaExpress?.enabled && limits.enaExpress === false) {
    return blocked(
      'ENAExpressUnsupported',
      `${type} ${instanceID} of node ${nodeName} does not support ENA Express`,
    );
  }
  return undefined;
}
