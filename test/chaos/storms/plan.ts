import type { NodeENISpec } from '../../../src/api/node-eni.js';

/** Labels that nodes carry, and NodeENIs select; a value is always `true`. */
export const ROLES = ['storms/red', 'storms/green', 'storms/blue'] as const;
export type Role = (typeof ROLES)[number];

export type ZoneLetter = 'a' | 'b';

/** Instance types by the interfaces that they take: 2, 3 and 15, the one of the launch included. */
export const TYPES = { small: 't3.micro', medium: 't3.medium', large: 'm5.24xlarge' } as const;
export type Size = keyof typeof TYPES;

/** What of a NodeENI's spec a user may edit; the other fields stay as they are. */
export type Edit = Partial<NodeENISpec>;

/** What is done to an ENI of ours behind the controller's back. */
export type Tampering = 'detach' | 'delete' | 'groups' | 'description' | 'tags';

/** EC2's write actions that faults may meet. */
export const EC2_WRITES = [
  'CreateNetworkInterface',
  'AttachNetworkInterface',
  'ModifyNetworkInterfaceAttribute',
  'CreateTags',
  'DeleteTags',
  'DetachNetworkInterface',
  'DeleteNetworkInterface',
] as const;

/**
 * One thing that happens. A number picks one of those that are there at the moment, modulo their count;
 * where there is none, nothing happens. So every part of a sequence is a sequence.
 */
export type Action =
  | { do: 'addNode'; zone: ZoneLetter; size: Size; roles: readonly Role[] }
  | { do: 'deleteNode'; node: number; instance: 'runs on' | 'terminated' }
  /** Another instance under the node's name. */
  | { do: 'replaceNode'; node: number; instance: 'runs on' | 'terminated'; zone: ZoneLetter }
  | { do: 'label'; node: number; role: Role; on: boolean }
  | { do: 'createNodeENI'; spec: NodeENISpec }
  | { do: 'editNodeENI'; nodeENI: number; change: Edit }
  | { do: 'deleteNodeENI'; nodeENI: number }
  | { do: 'deleteAttachment'; attachment: number }
  | { do: 'terminateInstance'; node: number }
  /** EC2 forgets it too: its id is unknown. */
  | { do: 'forgetInstance'; node: number }
  | { do: 'stopInstance'; node: number }
  | { do: 'startInstance'; node: number }
  | { do: 'tamper'; how: Tampering; eni: number }
  | { do: 'fail'; action: string; code: string; when: 'before' | 'after'; times: number }
  | { do: 'loseAnswer'; action: string; when: 'before' | 'after'; times: number }
  | { do: 'stall'; transition: 'attach' | 'detach' }
  | { do: 'slowDown'; latencyMs: number }
  | { do: 'killController' }
  | { do: 'startController' }
  | { do: 'pauseController' }
  | { do: 'resumeController' }
  | { do: 'restartApiServer' };

/** An action, and how long (milliseconds) nothing happens after it. */
export interface Step {
  action: Action;
  pauseMs: number;
}

/** A whole storm: what there is at first, and rounds of steps with a calm after each. */
export interface StormPlan {
  setting: readonly Action[];
  rounds: readonly (readonly Step[])[];
}

/** One line for people. */
export function describeAction({ do: what, ...details }: Action): string {
  return `${what} ${JSON.stringify(details)}`;
}
