import {
  type NodeENISpec,
  SECURITY_GROUP_FIELDS,
  SUBNET_FIELDS,
} from '../../../src/api/node-eni.js';
import type { Edit, Role, Size, ZoneLetter } from './plan.js';

export interface ModelNode {
  name: string;
  instanceID: string;
  zone: ZoneLetter;
  size: Size;
  roles: Set<Role>;
  /** `gone`: terminated, with its Node object still there. */
  instance: 'running' | 'stopped' | 'gone';
}

export interface ModelNodeENI {
  name: string;
  spec: NodeENISpec;
  /** Whether its subnets were edited: an ENI may then have a position that the present list does not reach. */
  hadOtherSubnets?: boolean;
}

/** What users have asked for, and which instances there are: all that decides what there should be. */
export class Model {
  readonly nodes = new Map<string, ModelNode>();
  readonly nodeENIs = new Map<string, ModelNodeENI>();
  private names = 0;

  /** A name that was never given. */
  newName(prefix: string): string {
    this.names += 1;
    return `${prefix}-${this.names}`;
  }

  edit(name: string, change: Edit): NodeENISpec {
    const nodeENI = this.nodeENIs.get(name);
    if (!nodeENI) {
      throw new Error(`the model has no NodeENI ${name}`);
    }
    nodeENI.spec = edited(nodeENI.spec, change);
    nodeENI.hadOtherSubnets ||= SUBNET_FIELDS.some((field) => field in change);
    return nodeENI.spec;
  }
}

/** The spec with the change; of fields that exclude one another, the changed one stays. */
function edited(spec: NodeENISpec, change: Edit): NodeENISpec {
  const outdone = [SUBNET_FIELDS, SECURITY_GROUP_FIELDS].flatMap((group) =>
    group.some((field) => field in change) ? [...group] : [],
  );
  const kept = Object.entries(spec).filter(([field]) => !outdone.some((each) => each === field));
  return { ...(Object.fromEntries(kept) as unknown as NodeENISpec), ...change };
}
