import { type Blocked, blocked } from '../../api/reasons.js';
import type { NodeENIPlan } from '../node-eni/plan-node-eni.js';
import type { DesiredAttachment } from '../shared/desired-attachment.js';
import type { UnadoptedEni } from './plan-migration.js';

/**
 * Removes from the plan what must not be created: an ENI for a node and subnet for which the Go controller's
 * status lists an ENI that is neither adopted nor deleted.
 */
export function holdCreates(plan: NodeENIPlan, unadopted: readonly UnadoptedEni[]): void {
  hold(plan, (desired) => {
    const holder = unadopted.find((each) => hasPlace(each, desired));
    return (
      holder &&
      blocked(
        'AdoptionPending',
        `Node ${desired.spec.nodeName} may have ${holder.entry.eniID} of the Go controller in ${desired.spec.subnetID}, which is not adopted (${holder.reason})`,
      )
    );
  });
}

/** Removes every Create from the plan. */
export function holdAllCreates(plan: NodeENIPlan, fault: Blocked): void {
  // A replacement would only delete.
  plan.replace = [];
  hold(plan, () => fault);
}

function hold(plan: NodeENIPlan, faultOf: (desired: DesiredAttachment) => Blocked | undefined) {
  const created: DesiredAttachment[] = [];
  for (const desired of plan.create) {
    const fault = faultOf(desired);
    if (fault) {
      const { nodeName: node } = desired.spec;
      plan.blocked.push({ node, blocked: fault, isServed: false });
      plan.planned.delete(node);
    } else {
      created.push(desired);
    }
  }
  plan.create = created;
}

/** Entries of old releases of the Go controller lack a subnet. */
function hasPlace({ entry }: UnadoptedEni, { spec }: DesiredAttachment): boolean {
  return (
    (entry.nodeID === spec.nodeName || entry.instanceID === spec.instanceID) &&
    (!entry.subnetID || entry.subnetID === spec.subnetID)
  );
}
