import type { ENIAttachment } from '../../api/eni-attachment.js';
import type { Blocked } from '../../api/reasons.js';
import type { Eni } from '../../aws/ec2-gateway.js';
import type { EniInventory } from '../../aws/inventory/eni-inventory.js';
import { ownEni } from './eni-identity.js';

/** How a step ended: continue with the next one, requeue after a delay, wait for an event, or blocked. */
export type StepResult =
  | 'continue'
  | 'requeue'
  | 'done'
  | {
      blocked: Blocked;
      eni?: Eni | undefined;
      /** Whether the ENI is attached with all other settings, so that only what is blocked is missing. */
      attached?: true;
    };

/**
 * The result of a step that is blocked according to the inventory, which can be stale: only a fresh read
 * confirms it.
 * @param plan the next step for the ENI
 * @throws Ec2Error
 */
export async function blockedOnFreshRead(
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
