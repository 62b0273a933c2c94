import type { ENIAttachment } from '../../api/eni-attachment.js';
import type { Blocked } from '../../api/reasons.js';
import type { Eni } from '../../aws/ec2-gateway.js';
import type { EniInventory } from '../../aws/inventory/eni-inventory.js';
import { ownEni } from './plan-attachment.js';

/** How a step ended: go on with the next one, look again later, wait for an event, or be blocked. */
export type StepResult =
  | 'continue'
  | 'requeue'
  | 'done'
  | { blocked: Blocked; eni?: Eni | undefined };

/**
 * The end of a step that is blocked by what is known of the ENI: that may be out of date, and only what EC2
 * says now blocks.
 * @param plan what to do, given the ENI
 * @throws Ec2Error
 */
export async function blockedAfterALook(
  inventory: EniInventory,
  attachment: ENIAttachment,
  plan: (eni: Eni | undefined) => { do: string; blocked?: Blocked },
): Promise<StepResult> {
  const known = ownEni(inventory, attachment);
  if (known) {
    await inventory.observe(known.id);
  }
  const eni = ownEni(inventory, attachment);
  const { blocked } = plan(eni);
  return blocked ? { blocked, eni } : 'continue';
}
