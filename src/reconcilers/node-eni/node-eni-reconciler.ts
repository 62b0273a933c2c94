import { isDeepStrictEqual } from 'node:util';
import { ENIAttachment } from '../../api/eni-attachment.js';
import { NETWORK_ATTACHMENT_FINALIZER, NODE_ENI_FINALIZER } from '../../api/names.js';
import { Node } from '../../api/node.js';
import { type KeptAddress, NodeENI } from '../../api/node-eni.js';
import { type Blocked, blocked } from '../../api/reasons.js';
import { nodeENIFaults } from '../../api/validate.js';
import type { Store } from '../../runtime/cache/store.js';
import type { ReconcileContext, Result } from '../../runtime/controller/controller.js';
import { Reconciler, Watch } from '../../runtime/controller/decorators.js';
import { hasFinalizer, withFinalizer, withoutFinalizer } from '../../runtime/kube/finalizers.js';
import { keyOf } from '../../runtime/kube/resource.js';
import type { ResourceClient } from '../../runtime/kube/resource-client.js';
import type { Logger } from '../../runtime/logger.js';
import { keepAddresses } from '../address-pool/kept-addresses.js';
import type { PoolAddresses } from '../address-pool/pool-addresses.js';
import type { GoMigration } from '../migration/go-migration.js';
import { holdAllCreates, holdCreates } from '../migration/hold-creates.js';
import { hasGoFinalizer } from '../migration/listed-enis.js';
import { type MigrationState, unadoptedIn } from '../migration/plan-migration.js';
import type { NetworkAttachments } from '../network-attachment/network-attachments.js';
import { type BlockedBackoff, isBlocked, writtenOrBlocked } from '../shared/blocked.js';
import { patchFinalizers } from '../shared/node-eni-finalizers.js';
import { instanceIDsOf, matchesSelector, placementChanged } from '../shared/node-placement.js';
import { partition } from '../shared/partition.js';
import type { SlotInspector } from '../slots/slot-inspector.js';
import type { AttachmentWriter, RefusedWrite } from './attachment-writer.js';
import type { NetworkResolver } from './network-resolver.js';
import { nodeENIChanged } from './node-eni-changed.js';
import type { NodeENIReporter } from './node-eni-reporter.js';
import { lookUpPlanContext, type PlanContext } from './plan-context.js';
import { type NodeENIDefaults, type NodeENIPlan, planNodeENI } from './plan-node-eni.js';
import type { PlannedAttachments } from './planned-attachments.js';
import { type Rollout, selectReplacements } from './rollout.js';
import type { UncachedChecks } from './uncached-checks.js';

export interface NodeENIReconcilerOptions {
  nodeENIs: Store<NodeENI>;
  /** Indexed by `instanceID`. */
  nodes: Store<Node>;
  attachments: Store<ENIAttachment>;
  nodeENIClient: ResourceClient<NodeENI>;
  writer: AttachmentWriter;
  uncachedChecks: UncachedChecks;
  networkResolver: NetworkResolver;
  slots: SlotInspector;
  reporter: NodeENIReporter;
  networkAttachments: NetworkAttachments;
  migration: Pick<GoMigration, 'adopt' | 'fault' | 'release'>;
  /** For NodeENIs with a pool of primary addresses. */
  poolAddresses: Pick<PoolAddresses, 'factsFor' | 'claim'>;
  /** Receives the attachments that each node should have, once they are written. */
  plannedAttachments: Pick<PlannedAttachments, 'publish' | 'forget'>;
  /** Delays between retries of faults that only a user can correct. */
  blockedBackoff: BlockedBackoff;
  defaults: NodeENIDefaults;
}

/** Attachment changes within this time (milliseconds) lead to one status write of their NodeENI. */
const STATUS_COALESCE_MS = 500;
/**
 * Shorter (milliseconds), because a slot's next ENI and the deletion of the NodeENI wait until old
 * attachments are gone.
 */
const GONE_COALESCE_MS = 50;

/** How much of a plan was carried out. */
interface CarriedOut {
  /** Why nothing may be created at all. */
  other: Blocked | undefined;
  /** How many nodes keep ENIs that have to be replaced. */
  outdated: number;
  refused: RefusedWrite[];
}

/** What a plan depends on. */
interface LookedUp extends PlanContext {
  /** The NodeENI with its finalizer. */
  held: NodeENI;
}

/**
 * Turns a NodeENI into attachments, one for each ENI, and their state into the NodeENI's status. It never writes
 * to EC2.
 */
@Reconciler({ for: NodeENI, when: nodeENIChanged })
export class NodeENIReconciler {
  constructor(private readonly options: NodeENIReconcilerOptions) {}

  @Watch(Node, { when: { updated: placementChanged } })
  mapNodeToNodeENIs(node: Node, old?: Node): string[] {
    const changed = old ? [node, old] : [node];
    // Nodes that share an instance block each other.
    const sharing = instanceIDsOf(changed).flatMap((instanceID) => this.nodesOn(instanceID));
    return this.options.nodeENIs
      .list()
      .filter(({ spec }) =>
        [...changed, ...sharing].some(({ metadata }) =>
          matchesSelector(spec.nodeSelector, metadata.labels),
        ),
      )
      .map(keyOf);
  }

  @Watch(ENIAttachment, { when: { deleted: () => false }, coalesceMs: STATUS_COALESCE_MS })
  mapAttachmentToNodeENI(attachment: ENIAttachment): string[] {
    return [attachment.spec.nodeENI];
  }

  @Watch(ENIAttachment, {
    when: { added: () => false, updated: () => false },
    coalesceMs: GONE_COALESCE_MS,
  })
  mapDeletedAttachmentToNodeENI(attachment: ENIAttachment): string[] {
    return [attachment.spec.nodeENI];
  }

  async reconcile(key: string, { logger }: ReconcileContext): Promise<Result> {
    const nodeENI = this.options.nodeENIs.get(key);
    const attachments = this.options.attachments.byIndex('nodeENI', key);
    const [own, foreign] = partition(attachments, (attachment) => isOwnedBy(attachment, nodeENI));
    // Foreign attachments belong to a NodeENI that no longer exists, perhaps to an earlier one of the same
    // name.
    const retryAfter = await this.deleteAbandoned(key, foreign, logger);
    if (!nodeENI || isLetGo(nodeENI)) {
      this.options.blockedBackoff.forget(key);
      this.options.plannedAttachments.forget(key);
      return resultOf(retryAfter);
    }
    const { requeueAfter } = await this.reconcileOwn(nodeENI, own, logger);
    return resultOf(retryAfter, requeueAfter);
  }

  private reconcileOwn(
    nodeENI: NodeENI,
    own: readonly ENIAttachment[],
    logger: Logger,
  ): Promise<Result> {
    if (nodeENI.metadata.deletionTimestamp) {
      return this.remove(nodeENI, own, logger);
    }
    const faults = nodeENIFaults(nodeENI);
    return faults.length > 0
      ? this.keepAsIs(nodeENI, own, blocked('InvalidSpec', faults.join('; ')), logger)
      : this.provide(nodeENI, own, logger);
  }

  /** @returns when to retry in milliseconds, where the API server refuses a deletion */
  private async deleteAbandoned(
    key: string,
    foreign: readonly ENIAttachment[],
    logger: Logger,
  ): Promise<number | undefined> {
    const { writer, uncachedChecks } = this.options;
    const refused = await writer.deleteAll(await uncachedChecks.abandoned(foreign), logger);
    return this.retryBlocked(`${key}/abandoned`, refused[0]?.blocked, refused.length, logger);
  }

  /** Deletes the NodeENI's attachments, and releases the NodeENI once none is left. */
  private async remove(
    nodeENI: NodeENI,
    own: readonly ENIAttachment[],
    logger: Logger,
  ): Promise<Result> {
    const { reporter, defaults, writer, networkAttachments, nodeENIClient } = this.options;
    const migration = await this.adopt(nodeENI, own, logger);
    const refused = await writer.deleteAll(this.attachmentsOf(nodeENI), logger);
    const definitions = await networkAttachments.reconcile(nodeENI, logger);
    const left = this.attachmentsOf(nodeENI);
    const current = this.newest(definitions.nodeENI);
    const isDone =
      left.length === 0 && !migration.fault && unadoptedIn(current, left, migration).length === 0;
    const released = isDone
      ? await patchFinalizers(nodeENIClient, current, withoutFinalizer(current, NODE_ENI_FINALIZER))
      : current;
    const unreleased =
      isDone && !isBlocked(released) ? await this.release(released, migration, logger) : undefined;
    if (isDone && !isBlocked(released) && !unreleased && isLetGo(this.newest(released))) {
      return {};
    }
    const fault = isBlocked(released) ? released : (unreleased ?? migration.fault);
    const unreported = await reporter.report(this.newest(current), {
      nodes: 0,
      desired: 0,
      attachments: left,
      blockedNodes: refused,
      deviceIndex: effectiveIndex(nodeENI, defaults),
      fault,
      networkAttachment: definitions.condition,
      migration,
    });
    const blockedBy = fault ?? refused[0]?.blocked ?? waiting(migration) ?? unreported;
    const retryAfter = this.retryBlocked(keyOf(nodeENI), blockedBy, refused.length, logger);
    return resultOf(retryAfter, definitions.requeueAfter);
  }

  /** An invalid spec does not reliably select nodes, so the NodeENI keeps its attachments. */
  private async keepAsIs(
    nodeENI: NodeENI,
    own: readonly ENIAttachment[],
    fault: Blocked,
    logger: Logger,
  ): Promise<Result> {
    const { reporter, defaults, plannedAttachments } = this.options;
    const nodes = this.matchingNodes(nodeENI).map(({ metadata }) => metadata.name);
    const kept = { blocked: fault, isServed: true };
    plannedAttachments.publish(nodeENI, new Map(), new Map(nodes.map((node) => [node, kept])));
    const migration = await this.adopt(nodeENI, own, logger);
    const attachments = this.attachmentsOf(nodeENI);
    await reporter.report(this.newest(nodeENI), {
      nodes: 0,
      desired: attachments.length,
      attachments,
      blockedNodes: [],
      deviceIndex: effectiveIndex(nodeENI, defaults),
      fault,
      migration,
    });
    await this.release(nodeENI, migration, logger);
    return resultOf(this.retryBlocked(keyOf(nodeENI), fault, 0, logger));
  }

  /** Gives each matching node its attachments, step by step: look up, plan, write, publish, report. */
  private async provide(
    nodeENI: NodeENI,
    own: readonly ENIAttachment[],
    logger: Logger,
  ): Promise<Result> {
    const { poolAddresses, plannedAttachments, networkAttachments, reporter, defaults } =
      this.options;
    const nodes = this.matchingNodes(nodeENI);
    const migration = await this.adopt(nodeENI, own, logger);
    const attachments = this.attachmentsOf(nodeENI);
    const { held, ...found } = await this.lookUp(
      this.newest(nodeENI),
      nodes,
      attachments,
      migration,
    );
    const { network } = found;
    const plan = planNodeENI({
      nodeENI,
      nodes,
      attachments,
      defaults,
      nodesOn: (instanceID) => this.nodesOn(instanceID),
      addresses: nodeENI.spec.ipv4?.primary && poolAddresses.factsFor(nodeENI, attachments),
      ...found,
    });
    const endClaim = poolAddresses.claim(plan.create);
    const { other, outdated, refused } = await this.carryOut(
      { nodeENI, plan, network, nodes: nodes.length },
      migration,
      logger,
    ).finally(endClaim);
    const blockedNodes = [...plan.blocked, ...refused];
    plannedAttachments.publish(
      nodeENI,
      withoutRefused(plan.planned, refused),
      new Map(blockedNodes.map((each) => [each.node, each])),
    );
    const definitions = await networkAttachments.reconcile(this.newest(held), logger);
    const fault = isBlocked(network) ? network : undefined;
    const unreported = await reporter.report(definitions.nodeENI, {
      nodes: nodes.length,
      desired: plan.desired,
      attachments: this.attachmentsOf(nodeENI),
      blockedNodes,
      deviceIndex: effectiveIndex(nodeENI, defaults),
      outdated,
      keptAddresses: this.keptAddresses(nodeENI, []),
      fault: fault ?? other,
      networkAttachment: definitions.condition,
      migration,
    });
    const unreleased = await this.release(nodeENI, migration, logger);
    const blockedBy =
      fault ?? other ?? blockedNodes[0]?.blocked ?? waiting(migration) ?? unreleased ?? unreported;
    const retryAfter = this.retryBlocked(keyOf(nodeENI), blockedBy, blockedNodes.length, logger);
    return resultOf(retryAfter, definitions.requeueAfter);
  }

  /** Decides what of the plan happens now, and writes that. */
  private async carryOut(
    rollout: Rollout,
    migration: MigrationState,
    logger: Logger,
  ): Promise<CarriedOut> {
    const { writer, slots } = this.options;
    const { nodeENI, plan } = rollout;
    const other = await this.holdCreates(plan, migration);
    await this.confirmUnselected(rollout);
    const outdated = await selectReplacements(slots, rollout);
    await this.rememberAddresses(nodeENI, plan);
    const refused = await writer.carryOut(nodeENI, plan, logger);
    return { other, outdated, refused };
  }

  /**
   * Writes into the status which addresses the nodes get again, before the attachments that have them are deleted: then
   * no crash loses them.
   */
  private async rememberAddresses(nodeENI: NodeENI, plan: NodeENIPlan): Promise<void> {
    const newest = this.newest(nodeENI);
    const before = newest.status?.keptAddresses ?? [];
    const keptAddresses = this.keptAddresses(nodeENI, plan.delete);
    if (keptAddresses.every((entry) => before.some((known) => isDeepStrictEqual(known, entry)))) {
      return;
    }
    // If the API server refuses it, the report of this reconcile says so.
    await writtenOrBlocked(
      `update the status of NodeENI ${nodeENI.metadata.name}`,
      this.options.nodeENIClient.patchStatus(
        newest,
        { ...newest.status, keptAddresses },
        { optimisticLock: true },
      ),
    );
  }

  private keptAddresses(nodeENI: NodeENI, leaving: readonly ENIAttachment[]): KeptAddress[] {
    const kept = this.newest(nodeENI).status?.keptAddresses ?? [];
    return nodeENI.spec.ipv4?.primary
      ? keepAddresses({ kept, attachments: this.attachmentsOf(nodeENI), leaving })
      : [];
  }

  /** Records the ENIs of the Go controller; those that cannot be recorded stay in the status. */
  private adopt(
    nodeENI: NodeENI,
    own: readonly ENIAttachment[],
    logger: Logger,
  ): Promise<MigrationState> {
    const { migration, networkResolver } = this.options;
    return migration.adopt(nodeENI, own, () => networkResolver.subnetIDs(nodeENI.spec), logger);
  }

  /** Removes from the plan what must not be created; @returns why nothing at all may be. */
  private async holdCreates(
    plan: NodeENIPlan,
    { unadopted, fault }: MigrationState,
  ): Promise<Blocked | undefined> {
    holdCreates(plan, unadopted);
    const isCreating = plan.create.length + plan.replace.length > 0;
    const other = fault ?? (isCreating ? await this.options.migration.fault() : undefined);
    if (other) {
      holdAllCreates(plan, other);
    }
    return other;
  }

  private release(
    nodeENI: NodeENI,
    state: MigrationState,
    logger: Logger,
  ): Promise<Blocked | undefined> {
    return this.options.migration.release(nodeENI, this.attachmentsOf(nodeENI), state, logger);
  }

  /** The NodeENI after the writes of this pass. */
  private newest(nodeENI: NodeENI): NodeENI {
    const newest = this.options.nodeENIs.get(keyOf(nodeENI));
    return newest?.metadata.uid === nodeENI.metadata.uid ? newest : nodeENI;
  }

  /** Looks up what the plan depends on, and sets the finalizer before the first attachment exists. */
  private async lookUp(
    nodeENI: NodeENI,
    nodes: readonly Node[],
    own: readonly ENIAttachment[],
    { fault }: MigrationState,
  ): Promise<LookedUp> {
    const { networkResolver, slots, nodeENIClient } = this.options;
    const served = new Set(own.map((attachment) => attachment.spec.nodeName));
    slots.prefetch(nodes.filter(({ metadata }) => !served.has(metadata.name)));
    const [context, patched] = await Promise.all([
      lookUpPlanContext({ nodeENI, nodes, slots, networkResolver }),
      // Both calls take a while, so they run together. While the Go controller runs, no attachment is
      // created.
      nodes.length > 0 && !fault
        ? patchFinalizers(nodeENIClient, nodeENI, withFinalizer(nodeENI, NODE_ENI_FINALIZER))
        : nodeENI,
    ]);
    return {
      ...context,
      network: isBlocked(patched) ? patched : context.network,
      held: isBlocked(patched) ? nodeENI : patched,
    };
  }

  /** Adds to the plan's deletions the unselected attachments that an uncached read confirms. */
  private async confirmUnselected({ nodeENI, plan, nodes: selected }: Rollout): Promise<void> {
    const { uncachedChecks } = this.options;
    const confirmed = await uncachedChecks.unselected(nodeENI, plan.unselected, { selected });
    plan.delete.push(...confirmed);
  }

  /** When to retry a fault that only a user can correct, in milliseconds; undefined if nothing is blocked. */
  private retryBlocked(
    key: string,
    blockedBy: Blocked | undefined,
    nodesBlocked: number,
    logger: Logger,
  ): number | undefined {
    const { blockedBackoff } = this.options;
    if (!blockedBy) {
      blockedBackoff.forget(key);
      return undefined;
    }
    const { afterMs, counts } = blockedBackoff.next(key);
    if (counts) {
      const { reason, message: detail } = blockedBy;
      logger.warn('NodeENI blocked', { reason, detail, nodesBlocked, requeueAfterMs: afterMs });
    }
    return afterMs;
  }

  private attachmentsOf(nodeENI: NodeENI): ENIAttachment[] {
    return this.options.attachments
      .byIndex('nodeENI', nodeENI.metadata.name)
      .filter((attachment) => isOwnedBy(attachment, nodeENI));
  }

  private nodesOn(instanceID: string): Node[] {
    return this.options.nodes.byIndex('instanceID', instanceID);
  }

  private matchingNodes({ spec }: NodeENI): Node[] {
    return this.options.nodes
      .list()
      .filter(({ metadata }) => matchesSelector(spec.nodeSelector, metadata.labels));
  }
}

/** The carried-out part of a plan: without nodes that have a missing or outdated attachment. */
function withoutRefused(
  planned: ReadonlyMap<string, readonly string[]>,
  refused: readonly RefusedWrite[],
): Map<string, readonly string[]> {
  const nodes = new Set(refused.filter(({ write }) => write !== 'delete').map(({ node }) => node));
  return new Map([...planned].filter(([node]) => !nodes.has(node)));
}

/** The device index of each node's first ENI; undefined where `Auto` chooses one for each node. */
function effectiveIndex({ spec }: NodeENI, defaults: NodeENIDefaults): number | undefined {
  return spec.deviceIndexPolicy === 'Auto' ? undefined : (spec.deviceIndex ?? defaults.deviceIndex);
}

/** Whether the NodeENI is being deleted and has none of the finalizers that this operator removes. */
function isLetGo(nodeENI: NodeENI): boolean {
  return (
    nodeENI.metadata.deletionTimestamp !== undefined &&
    !hasFinalizer(nodeENI, NODE_ENI_FINALIZER) &&
    !hasFinalizer(nodeENI, NETWORK_ATTACHMENT_FINALIZER) &&
    !hasGoFinalizer(nodeENI)
  );
}

/** Why the NodeENI is reconciled again: ENIs of the Go controller that are not adopted. */
function waiting({ unadopted: [first] }: MigrationState): Blocked | undefined {
  return first && { reason: 'AdoptionPending', message: first.message };
}

/** Requeues after the shortest of these waits, in milliseconds. */
function resultOf(...waits: (number | undefined)[]): Result {
  const known = waits.filter((ms) => ms !== undefined);
  return known.length > 0 ? { requeueAfter: Math.min(...known) } : {};
}

function isOwnedBy(attachment: ENIAttachment, nodeENI: NodeENI | undefined): boolean {
  return (
    attachment.metadata.ownerReferences?.some(({ uid }) => uid === nodeENI?.metadata.uid) ?? false
  );
}
