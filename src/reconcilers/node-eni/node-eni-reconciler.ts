import { ENIAttachment } from '../../api/eni-attachment.js';
import { NETWORK_ATTACHMENT_FINALIZER, NODE_ENI_FINALIZER } from '../../api/names.js';
import { Node } from '../../api/node.js';
import { NodeENI } from '../../api/node-eni.js';
import { type Blocked, blocked } from '../../api/reasons.js';
import { nodeENISpecFaults } from '../../api/validate.js';
import type { Store } from '../../runtime/cache/store.js';
import type { ReconcileContext, Result } from '../../runtime/controller/controller.js';
import { Reconciler, Watch } from '../../runtime/controller/decorators.js';
import { generationChanged } from '../../runtime/controller/predicates.js';
import { hasFinalizer, withFinalizer, withoutFinalizer } from '../../runtime/kube/finalizers.js';
import type { Patch } from '../../runtime/kube/kube-client.js';
import { keyOf } from '../../runtime/kube/resource.js';
import type { ResourceClient } from '../../runtime/kube/resource-client.js';
import type { Logger } from '../../runtime/logger.js';
import type { NetworkAttachments } from '../network-attachment/network-attachments.js';
import { answerOrBlocked, type BlockedBackoff } from '../shared/blocked.js';
import { matchesSelector, placementChanged } from '../shared/node-placement.js';
import type { SlotInspector } from '../slots/slot-inspector.js';
import type { AttachmentWriter } from './attachment-writer.js';
import type { Network, NetworkResolver } from './network-resolver.js';
import type { NodeENIReporter } from './node-eni-reporter.js';
import { emptyPlan, type NodeENIDefaults, type NodeENIPlan, planNodeENI } from './plan-node-eni.js';
import type { PlannedAttachments } from './planned-attachments.js';
import { maxUnavailableNodes, selectForRollout } from './rollout.js';
import type { UncachedChecks } from './uncached-checks.js';

export interface NodeENIReconcilerOptions {
  nodeENIs: Store<NodeENI>;
  nodes: Store<Node>;
  attachments: Store<ENIAttachment>;
  nodeENIClient: ResourceClient<NodeENI>;
  writer: AttachmentWriter;
  uncachedChecks: UncachedChecks;
  networkResolver: NetworkResolver;
  slots: SlotInspector;
  reporter: NodeENIReporter;
  networkAttachments: NetworkAttachments;
  /** Hears what each node should have, once that is written. */
  plannedAttachments: Pick<PlannedAttachments, 'publish' | 'forget'>;
  /** Waits between tries of what somebody has to correct. */
  blockedBackoff: BlockedBackoff;
  defaults: NodeENIDefaults;
}

/** Bursts of attachment changes within this time (milliseconds) become one status write of their NodeENI. */
const STATUS_COALESCE_MS = 500;
/** Attachments that are gone are waited for: by the next ENI of the slot, by the end of the NodeENI. */
const GONE_COALESCE_MS = 50;

/** Turns intent into attachments, one for each ENI, and attachments into a status. It never writes to EC2. */
@Reconciler({ for: NodeENI, when: generationChanged })
export class NodeENIReconciler {
  constructor(private readonly options: NodeENIReconcilerOptions) {}

  @Watch(Node, { when: { updated: placementChanged } })
  nodeENIsFor(node: Node, old?: Node): string[] {
    return this.options.nodeENIs
      .list()
      .filter(({ spec }) =>
        [node, old].some(
          (each) => each && matchesSelector(spec.nodeSelector, each.metadata.labels),
        ),
      )
      .map(keyOf);
  }

  @Watch(ENIAttachment, { when: { deleted: () => false }, coalesceMs: STATUS_COALESCE_MS })
  statusOf(attachment: ENIAttachment): string[] {
    return [attachment.spec.nodeENI];
  }

  @Watch(ENIAttachment, {
    when: { added: () => false, updated: () => false },
    coalesceMs: GONE_COALESCE_MS,
  })
  successorOf(attachment: ENIAttachment): string[] {
    return [attachment.spec.nodeENI];
  }

  async reconcile(key: string, { logger }: ReconcileContext): Promise<Result> {
    const nodeENI = this.options.nodeENIs.get(key);
    const attachments = this.options.attachments.byIndex('nodeENI', key);
    const [own, foreign] = partition(attachments, (attachment) => isOwnedBy(attachment, nodeENI));
    // Of a NodeENI that is gone, or of an earlier one under the same name.
    const { writer, uncachedChecks } = this.options;
    await writer.deleteAll(await uncachedChecks.abandoned(foreign), logger);
    if (!nodeENI || finalizersRemoved(nodeENI)) {
      this.options.blockedBackoff.forget(key);
      this.options.plannedAttachments.forget(key);
      return {};
    }
    return nodeENI.metadata.deletionTimestamp
      ? this.remove(nodeENI, own, logger)
      : this.provide(nodeENI, own, logger);
  }

  private async remove(
    nodeENI: NodeENI,
    own: readonly ENIAttachment[],
    logger: Logger,
  ): Promise<Result> {
    const { reporter, defaults, writer, networkAttachments } = this.options;
    await writer.deleteAll(own, logger);
    const definitions = await networkAttachments.reconcile(nodeENI, logger);
    const left = this.attachmentsOf(nodeENI);
    const held =
      left.length === 0
        ? await this.patch(
            definitions.nodeENI,
            withoutFinalizer(definitions.nodeENI, NODE_ENI_FINALIZER),
          )
        : definitions.nodeENI;
    if (finalizersRemoved(held)) {
      return {};
    }
    await reporter.report(held, {
      nodes: 0,
      desired: 0,
      attachments: left,
      blockedNodes: [],
      deviceIndex: effectiveIndex(nodeENI, defaults),
      networkAttachment: definitions.condition,
    });
    return resultOf(definitions.requeueAfter);
  }

  private async provide(
    nodeENI: NodeENI,
    attachments: readonly ENIAttachment[],
    logger: Logger,
  ): Promise<Result> {
    const { reporter, defaults, blockedBackoff, networkResolver, slots, writer, uncachedChecks } =
      this.options;
    const { plannedAttachments, networkAttachments } = this.options;
    const faults = nodeENISpecFaults(nodeENI.spec);
    const invalid = faults.length > 0 ? blocked('InvalidSpec', faults.join('; ')) : undefined;
    const nodes = invalid ? [] : this.matchingNodes(nodeENI);
    const served = new Set(attachments.map((attachment) => attachment.spec.nodeName));
    slots.askAhead(nodes.filter(({ metadata }) => !served.has(metadata.name)));
    const occupied =
      nodeENI.spec.deviceIndexPolicy === 'Auto'
        ? await answerOrBlocked(slots.occupied(nodes))
        : undefined;
    const unknown = invalid ?? (occupied && 'reason' in occupied ? occupied : undefined);
    const [network, held] = await Promise.all([
      unknown ?? networkResolver.resolve(nodeENI.spec),
      // Before the first attachment is made; asked for together, for both take a while.
      nodes.length > 0 ? this.patch(nodeENI, withFinalizer(nodeENI, NODE_ENI_FINALIZER)) : nodeENI,
    ]);
    const fault = 'reason' in network ? network : undefined;
    // An invalid NodeENI says nothing of which nodes it means: what it has, it keeps.
    const plan: NodeENIPlan = invalid
      ? { ...emptyPlan(), desired: attachments.length }
      : planNodeENI({
          nodeENI,
          nodes,
          attachments,
          network,
          defaults,
          occupied: occupied && 'reason' in occupied ? undefined : occupied,
        });
    plan.delete.push(...(await uncachedChecks.unselected(nodeENI, plan.unselected)));
    const outdated = await this.selectReplacements(nodeENI, plan, network, nodes.length);
    await writer.carryOut(nodeENI, plan, logger);
    plannedAttachments.publish(nodeENI, plan.wanted);
    const definitions = invalid ? undefined : await networkAttachments.reconcile(held, logger);
    await reporter.report(definitions?.nodeENI ?? held, {
      nodes: nodes.length,
      desired: plan.desired,
      attachments: this.attachmentsOf(nodeENI),
      blockedNodes: plan.blocked,
      deviceIndex: effectiveIndex(nodeENI, defaults),
      outdated,
      fault,
      networkAttachment: definitions?.condition,
    });

    const blockedBy = fault ?? plan.blocked[0]?.blocked;
    if (blockedBy) {
      const { afterMs, counts } = blockedBackoff.next(keyOf(nodeENI));
      if (counts) {
        const { reason, message: detail } = blockedBy;
        const nodesBlocked = plan.blocked.length;
        logger.warn('NodeENI blocked', { reason, detail, nodesBlocked, requeueAfterMs: afterMs });
      }
      return resultOf(afterMs, definitions?.requeueAfter);
    }
    blockedBackoff.forget(keyOf(nodeENI));
    return resultOf(definitions?.requeueAfter);
  }

  /**
   * Adds to the plan the old attachments of the nodes whose turn it is to be replaced, and the faults of those
   * that could not succeed. Returns how many nodes are left with what they should have no longer.
   */
  private async selectReplacements(
    { spec }: NodeENI,
    plan: NodeENIPlan,
    network: Network | Blocked,
    nodes: number,
  ): Promise<number> {
    if (plan.replace.length === 0 || 'reason' in network) {
      return 0;
    }
    const subnets = network.subnets.flatMap((choice) => choice.subnets);
    const faults = await Promise.all(
      plan.replace.map((replacement) =>
        answerOrBlocked(this.options.slots.replacementFault(replacement, subnets)),
      ),
    );
    const able = plan.replace.filter((_, index) => !faults[index]);
    plan.blocked.push(
      ...plan.replace.flatMap(({ node }, index) => {
        const fault = faults[index];
        return fault ? [{ node, blocked: fault }] : [];
      }),
    );
    const turns = selectForRollout(able, {
      unavailable: plan.unavailable,
      maxUnavailable: maxUnavailableNodes(spec.updatePolicy, nodes),
    });
    plan.delete.push(...turns.flatMap(({ stale }) => stale));
    return plan.replace.length - turns.length;
  }

  private async patch(nodeENI: NodeENI, patch: Patch | undefined): Promise<NodeENI> {
    return patch ? this.options.nodeENIClient.patch(nodeENI.metadata, patch) : nodeENI;
  }

  private attachmentsOf(nodeENI: NodeENI): ENIAttachment[] {
    return this.options.attachments
      .byIndex('nodeENI', nodeENI.metadata.name)
      .filter((attachment) => isOwnedBy(attachment, nodeENI));
  }

  private matchingNodes({ spec }: NodeENI): Node[] {
    return this.options.nodes
      .list()
      .filter(({ metadata }) => matchesSelector(spec.nodeSelector, metadata.labels));
  }
}

/** The device index of each node's first ENI; none where it is picked on each node. */
function effectiveIndex({ spec }: NodeENI, defaults: NodeENIDefaults): number | undefined {
  return spec.deviceIndexPolicy === 'Auto' ? undefined : (spec.deviceIndex ?? defaults.deviceIndex);
}

/** Let go by us, and gone as soon as the API server says so; or never ours to hold. */
function finalizersRemoved(nodeENI: NodeENI): boolean {
  return (
    nodeENI.metadata.deletionTimestamp !== undefined &&
    !hasFinalizer(nodeENI, NODE_ENI_FINALIZER) &&
    !hasFinalizer(nodeENI, NETWORK_ATTACHMENT_FINALIZER)
  );
}

/** Again at the soonest of these times, in milliseconds. */
function resultOf(...waits: (number | undefined)[]): Result {
  const known = waits.filter((ms) => ms !== undefined);
  return known.length > 0 ? { requeueAfter: Math.min(...known) } : {};
}

function isOwnedBy(attachment: ENIAttachment, nodeENI: NodeENI | undefined): boolean {
  return (
    attachment.metadata.ownerReferences?.some(({ uid }) => uid === nodeENI?.metadata.uid) ?? false
  );
}

function partition<T>(items: readonly T[], belongs: (item: T) => boolean): [T[], T[]] {
  return [items.filter(belongs), items.filter((item) => !belongs(item))];
}
