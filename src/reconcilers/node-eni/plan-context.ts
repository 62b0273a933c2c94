import type { Node } from '../../api/node.js';
import type { NodeENI } from '../../api/node-eni.js';
import type { Blocked } from '../../api/reasons.js';
import { answerOrBlocked, isBlocked } from '../shared/blocked.js';
import { instanceIDsOf } from '../shared/node-placement.js';
import type { SlotInspector } from '../slots/slot-inspector.js';
import type { OccupiedIndexes } from '../slots/slots.js';
import type { Network, NetworkResolver } from './network-resolver.js';

/** What a plan needs from EC2. */
export interface PlanContext {
  /** The subnets and groups that the NodeENI names, or why they or something else are unknown. */
  network: Network | Blocked;
  /** For `deviceIndexPolicy: Auto`. */
  occupied: OccupiedIndexes | undefined;
  /** For nodes without a zone label, by instance id. */
  zones: ReadonlyMap<string, string> | undefined;
}

export interface PlanContextOptions {
  nodeENI: NodeENI;
  /** The nodes that the selector matches. */
  nodes: readonly Node[];
  slots: Pick<SlotInspector, 'occupied' | 'zones'>;
  networkResolver: Pick<NetworkResolver, 'resolve'>;
}

/**
 * Looks up what the plan for a NodeENI depends on.
 * @throws Ec2Error where a retry may help
 */
export async function lookUpPlanContext(options: PlanContextOptions): Promise<PlanContext> {
  const { nodeENI, nodes, slots, networkResolver } = options;
  const [occupied, zones] = await Promise.all([
    nodeENI.spec.deviceIndexPolicy === 'Auto' ? answerOrBlocked(slots.occupied(nodes)) : undefined,
    answerOrBlocked(slots.zones(nodes)),
  ]);
  const fault = [occupied, zones].find(isBlocked);
  return {
    network: fault ?? (await networkResolver.resolve(nodeENI.spec, instanceIDsOf(nodes))),
    occupied: isBlocked(occupied) ? undefined : occupied,
    zones: isBlocked(zones) ? undefined : zones,
  };
}
