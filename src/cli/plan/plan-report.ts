import type { BlockedReason } from '../../api/reasons.js';

/** What happens to one ENI. */
export interface PlannedENI {
  action: 'create' | 'change' | 'replace' | 'delete' | 'keep';
  subnetID: string;
  deviceIndex: number;
  networkCardIndex: number;
  interfaceName?: string;
  /** The primary address, where it comes from the NodeENI's pool. */
  privateIPAddress?: string;
  /** Only for an existing ENI. */
  eniID?: string;
  /** Fields that change in place. */
  changes?: string[];
}

export interface PlannedNode {
  node: string;
  instanceID?: string;
  instanceType?: string;
  enis: PlannedENI[];
  /**
   * When the node's ENIs are replaced: 1 immediately, 2 after the nodes of turn 1, and so on
   * (`updatePolicy`). Absent if none is replaced.
   */
  turn?: number;
  /** Interfaces that the instance then still supports, without those that are reserved. */
  slotsLeft?: number;
}

/** A future condition of the NodeENI. Its message ends with a remedy. */
export interface PlanProblem {
  reason: BlockedReason;
  message: string;
  /** Absent: it concerns the NodeENI as a whole. */
  node?: string;
}

export interface PlannedSubnet {
  subnetID: string;
  name?: string;
  zone: string;
  /** Free IPv4 addresses now, and once the plan is carried out; absent on IPv6-only subnets. */
  availableAddresses?: number;
  addressesLeft?: number;
}

/** What applying one NodeENI would do. */
export interface PlanReport {
  nodeENI: string;
  /** What happens to the NodeENI itself. */
  object: 'created' | 'changed' | 'unchanged';
  summary: Record<'nodes' | 'create' | 'change' | 'replace' | 'delete' | 'keep', number>;
  /** How many turns replacements take; 0 if there are none. */
  turns: number;
  nodes: PlannedNode[];
  subnets: PlannedSubnet[];
  problems: PlanProblem[];
}
