import { type Blocked, blocked } from '../../api/reasons.js';
import type { NodeENIPlan } from '../node-eni/plan-node-eni.js';
import type { DesiredAttachment } from '../shared/desired-attachment.js';
import type { UnadoptedEni } from './plan-migration.js';

/**
 * Takes out of the plan what must not be created: an ENI for a node and subnet in which the Go controller's status
 * lists one that is neither adopted nor gone.
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

/** Takes everything out of the plan that it would create. */
export function holdAllCreates(plan: NodeENIPlan, fault: Blocked): void {
  // A replacement would only take away.
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

/** Entries of old releases of the Go controller name no subnet. */
function hasPlace({ entry }: UnadoptedEni, { spec }: DesiredAttachment): boolean {
  return (
    (entry.nodeID === spec.nodeName || entry.instanceID === spec.instanceID) &&
    (!entry.subnetID || entry.subnetID === spec.subnetID)
  );
}
