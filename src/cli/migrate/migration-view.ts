import type { ENIAttachment } from '../../api/eni-attachment.js';
import type { Node } from '../../api/node.js';
import type { NodeENI } from '../../api/node-eni.js';
import type { Eni } from '../../aws/ec2-gateway.js';
import { hasGoFinalizer, unheldEnis } from '../../reconcilers/migration/listed-enis.js';
import { type MigrationPlan, planMigration } from '../../reconcilers/migration/plan-migration.js';
import { adoptedEni } from '../../reconcilers/shared/held-eni.js';
import type { ChangeAfterAdoption } from './changes-after-adoption.js';
import { type Edit, editsOf } from './edits.js';

/** An ENI that cannot be adopted in its current state. */
export interface EniProblem {
  eniID: string;
  node: string;
  reason: string;
  message: string;
}

/** The progress of one NodeENI. */
export interface MigrationView {
  nodeENI: string;
  /** ENIs that the status lists and that no ENIAttachment records yet. */
  waiting: number;
  adopted: number;
  /** Whether the Go controller's finalizer is still there. */
  isHeldByGo: boolean;
  isBeingDeleted: boolean;
  edits: Edit[];
  problems: EniProblem[];
  /** What the controller does with ENIs right after it has adopted them; empty if EC2 was not read. */
  changes: ChangeAfterAdoption[];
  /** Why `changes` cannot be planned; absent if they can. */
  changesUnknown?: string;
}

export interface MigrationWorld {
  nodeENIs: readonly NodeENI[];
  attachments: readonly ENIAttachment[];
  nodes: readonly Node[];
  /** The state in EC2; absent if it was not read. */
  ec2?:
    | {
        clusterID: string;
        /** Of all ENIs that the objects list. */
        enis: ReadonlyMap<string, Eni>;
        /** By NodeENI; undefined where EC2 does not know one of its subnets. */
        subnetIDs: ReadonlyMap<string, ReadonlySet<string> | undefined>;
        consistencyWindowMs: number;
        /** By NodeENI; a sentence if they cannot be planned. */
        changes?: ReadonlyMap<string, ChangeAfterAdoption[] | string>;
      }
    | undefined;
  /** Milliseconds since the epoch. */
  now: number;
}

/** Each NodeENI's progress: what the controller will adopt, and what the user has to do first. */
export function migrationViews(world: MigrationWorld): MigrationView[] {
  return world.nodeENIs.map((nodeENI) => {
    const { name, deletionTimestamp } = nodeENI.metadata;
    const own = ownOf(nodeENI, world);
    const changes = world.ec2?.changes?.get(name) ?? [];
    return {
      nodeENI: name,
      waiting: unheldEnis(nodeENI, own).length,
      adopted: own.filter((each) => adoptedEni(each) !== undefined).length,
      isHeldByGo: hasGoFinalizer(nodeENI),
      isBeingDeleted: deletionTimestamp !== undefined,
      edits: editsOf(nodeENI),
      problems: problemsOf(nodeENI, own, world),
      ...(typeof changes === 'string' ? { changes: [], changesUnknown: changes } : { changes }),
    };
  });
}

/** The attachments of the NodeENI. */
function ownOf({ metadata: { uid } }: NodeENI, { attachments }: MigrationWorld): ENIAttachment[] {
  return attachments.filter(({ metadata }) =>
    metadata.ownerReferences?.some((owner) => owner.uid === uid),
  );
}

/** What the controller will do with the ENIs that the NodeENI lists; undefined if EC2 was not read. */
export function migrationPlanOf(
  nodeENI: NodeENI,
  world: MigrationWorld,
): MigrationPlan | undefined {
  const { attachments, nodes, ec2, now } = world;
  if (!ec2) return undefined;
  const { clusterID, enis, subnetIDs, consistencyWindowMs } = ec2;
  const own = ownOf(nodeENI, world);
  return planMigration({
    nodeENI,
    listed: unheldEnis(nodeENI, own),
    enis,
    attachments: own,
    nodeNamed: (name) => nodes.find(({ metadata }) => metadata.name === name),
    isAlive: (uid) => attachments.some(({ metadata }) => metadata.uid === uid),
    subnetIDs: subnetIDs.get(nodeENI.metadata.name),
    clusterID,
    consistencyWindowMs,
    now,
  });
}

/** By the controller's own rules, if EC2 was read; otherwise what the controller reported. */
function problemsOf(
  nodeENI: NodeENI,
  own: readonly ENIAttachment[],
  world: MigrationWorld,
): EniProblem[] {
  const plan = migrationPlanOf(nodeENI, world);
  if (!plan) {
    return unheldEnis(nodeENI, own).flatMap(({ eniID, nodeID: node, adoption: reason }) =>
      reason ? [{ eniID, node, reason, message: 'See the condition Adopted of the NodeENI.' }] : [],
    );
  }
  return plan.unadopted.map(({ entry, reason, message }) => ({
    eniID: entry.eniID,
    node: entry.nodeID,
    reason,
    message,
  }));
}

/** Whether nothing of the Go controller is left on the NodeENI, and nothing blocks it. */
export function isDone({ waiting, isHeldByGo, edits }: MigrationView): boolean {
  return waiting === 0 && !isHeldByGo && edits.length === 0;
}
