import { ENIAttachment } from '../../api/eni-attachment.js';
import { Node, type Taint, taintName } from '../../api/node.js';
import { NodeENI } from '../../api/node-eni.js';
import type { Store } from '../../runtime/cache/store.js';
import type { ReconcileContext, Result } from '../../runtime/controller/controller.js';
import { Reconciler, Watch } from '../../runtime/controller/decorators.js';
import { generationChanged } from '../../runtime/controller/predicates.js';
import type { EventRecorder } from '../../runtime/kube/events.js';
import { isInvalid, isNotFound } from '../../runtime/kube/kube-errors.js';
import type { ResourceClient } from '../../runtime/kube/resource-client.js';
import type { Logger } from '../../runtime/logger.js';
import {
  PlannedAttachments,
  type PlannedAttachmentsChange,
} from '../node-eni/planned-attachments.js';
import { type BlockedBackoff, refusedWrite } from '../shared/blocked.js';
import { placementChanged } from '../shared/node-placement.js';
import { retryRefusedNodeWrite } from '../shared/refused-node-write.js';
import type { BlockedTimes } from './blocked-times.js';
import {
  planReadiness,
  type ReadinessStep,
  startupTaintOf,
  startupTaints,
  taintRemoval,
} from './plan-readiness.js';

export interface NodeReadinessReconcilerOptions {
  /** Indexed by `taint`: the `key:Effect` of each. */
  nodes: Store<Node>;
  nodeENIs: Store<NodeENI>;
  attachments: Store<ENIAttachment>;
  plannedAttachments: Pick<PlannedAttachments, 'of'>;
  nodeClient: Pick<ResourceClient<Node>, 'get' | 'patch'>;
  events: EventRecorder;
  /** Waits between retries of a removal that the API server refuses. */
  blockedBackoff: BlockedBackoff;
  blockedTimes: BlockedTimes;
}

/** Concurrent reconciles; each makes at most one small write that pods wait for. */
const CONCURRENCY = 16;

/**
 * Removes the startup taint from a node once the node has all its ENIs, so that no pod starts there without
 * them. It never adds a taint: a node that loses an ENI later keeps its pods. Nodes without a startup taint
 * trigger no reconciles.
 */
@Reconciler({ name: 'nodereadiness', concurrency: CONCURRENCY })
export class NodeReadinessReconciler {
  /** UIDs, by name, of the nodes that were last reported as selected by no NodeENI. */
  private readonly lastReported = new Map<string, string>();

  constructor(private readonly options: NodeReadinessReconcilerOptions) {}

  @Watch(Node, { when: { updated: readinessChanged } })
  mapNodeToItself({ metadata: { name }, spec }: Node): string[] {
    return this.lastReported.has(name) || this.hasStartupTaint(spec?.taints) ? [name] : [];
  }

  @Watch(ENIAttachment, { when: { deleted: () => false } })
  mapAttachmentToNode({ spec }: ENIAttachment): string[] {
    return this.ifWaiting(spec.nodeName);
  }

  @Watch(PlannedAttachments)
  mapPlannedAttachmentsToNode({ node }: PlannedAttachmentsChange): string[] {
    return this.ifWaiting(node);
  }

  @Watch(NodeENI, { when: generationChanged })
  mapNodeENIToWaitingNodes(nodeENI: NodeENI): string[] {
    const { nodes, nodeENIs } = this.options;
    const taints = startupTaints(nodeENIs.list()).add(startupTaintOf(nodeENI));
    const waiting = [...taints].flatMap((taint) => nodes.byIndex('taint', taint));
    return [...new Set(waiting.map(({ metadata }) => metadata.name))];
  }

  async reconcile(key: string, { logger }: ReconcileContext): Promise<Result> {
    const { nodes, nodeENIs, attachments, plannedAttachments, blockedTimes } = this.options;
    const node = nodes.get(key);
    const step = node
      ? planReadiness({
          node,
          nodeENIs: nodeENIs.list(),
          planned: (nodeENI) => plannedAttachments.of(nodeENI, key),
          attachment: (name) => attachments.get(name),
          overdue: (nodeENI) => blockedTimes.isOverdue(node, nodeENI),
        })
      : undefined;
    if (step?.do !== 'report') {
      this.lastReported.delete(key);
    }
    if (node && step?.do === 'wait') {
      const requeueAfter = blockedTimes.seen(node, step.blocked);
      return requeueAfter === undefined ? {} : { requeueAfter };
    }
    blockedTimes.forget(key);
    if (node && step?.do === 'report') {
      this.reportUnselected(node, step.taints, logger);
      return {};
    }
    return node && step?.do === 'remove' ? this.remove(node, step, logger) : {};
  }

  private async remove(
    node: Node,
    step: Extract<ReadinessStep, { do: 'remove' }>,
    logger: Logger,
  ): Promise<Result> {
    const { nodeClient, blockedBackoff, events } = this.options;
    const { name } = node.metadata;
    const body = taintRemoval(node, step.taints);
    try {
      await nodeClient.patch(node.metadata, { type: 'json', body });
    } catch (error) {
      if (isNotFound(error) || (isInvalid(error) && (await this.hasMoved(node)))) {
        // The change itself triggers another reconcile of this node.
        logger.debug('Node changed before its startup taint was removed', {});
        return {};
      }
      const refused = refusedWrite(`remove the startup taint of node ${name}`, error);
      if (!refused) {
        throw error;
      }
      const summary = 'Startup taint not removed';
      return retryRefusedNodeWrite(
        { node, refused, action: 'RemoveTaint', summary },
        { blockedBackoff, events, logger },
      );
    }
    blockedBackoff.forget(name);
    this.reportRemoved(node, step, logger);
    return {};
  }

  private reportRemoved(
    node: Node,
    { taints, nodeENIs, leftOut }: Extract<ReadinessStep, { do: 'remove' }>,
    logger: Logger,
  ): void {
    const names = taints.map(taintName).join(', ');
    const regarding = { kind: Node, object: node };
    logger.info('Startup taint removed', { taint: names, nodeENIs, leftOut });
    this.options.events.event(regarding, {
      type: 'Normal',
      reason: 'ENIsReady',
      action: 'RemoveTaint',
      note: `All ENIs of ${nodeENIs.join(', ')} are ready; the startup taint ${names} is removed.`,
    });
    if (leftOut.length > 0) {
      const note = `The node no longer waits for the ENIs of ${leftOut.join(', ')}, which have been blocked for longer than STARTUP_TAINT_TIMEOUT; the startup taint ${names} is removed.`;
      const event = { reason: 'StartupTaintTimeout', action: 'RemoveTaint', note };
      this.options.events.event(regarding, { type: 'Warning', ...event });
    }
  }

  /** Whether the API server rejected a patch because the store is behind, not for another reason. */
  private async hasMoved(node: Node): Promise<boolean> {
    const live = await this.options.nodeClient.get(node.metadata);
    return isAnother(live, node) || taintsChanged(live, node);
  }

  /** Reports each node once, since only a user's change can help it. */
  private reportUnselected(node: Node, taints: readonly Taint[], logger: Logger): void {
    const { name, uid } = node.metadata;
    if (this.lastReported.get(name) === uid) {
      return;
    }
    this.lastReported.set(name, uid);
    const names = taints.map(taintName).join(', ');
    logger.warn('Node keeps its startup taint: no NodeENI selects it', { taint: names });
    this.options.events.event(
      { kind: Node, object: node },
      {
        type: 'Warning',
        reason: 'NoNodeENI',
        action: 'Observe',
        note: `The node keeps its startup taint ${names} because no NodeENI with that taint selects it. Add the labels of the NodeENI's nodeSelector to the node, or remove the taint.`,
      },
    );
  }

  private ifWaiting(name: string): string[] {
    return this.hasStartupTaint(this.options.nodes.get(name)?.spec?.taints) ? [name] : [];
  }

  private hasStartupTaint(taints: readonly Taint[] = []): boolean {
    if (taints.length === 0) {
      return false;
    }
    const names = startupTaints(this.options.nodeENIs.list());
    return taints.some((taint) => names.has(taintName(taint)));
  }
}

/** Whether a change of a node can affect its startup taint. */
function readinessChanged(node: Node, old: Node): boolean {
  return isAnother(node, old) || placementChanged(node, old) || taintsChanged(node, old);
}

/** Whether the node was recreated under its name; while no watch runs, this appears as an update. */
function isAnother(a: Node, b: Node): boolean {
  return a.metadata.uid !== b.metadata.uid;
}

function taintsChanged(
  { spec: { taints: a = [] } = {} }: Node,
  { spec: { taints: b = [] } = {} }: Node,
) {
  return a.length !== b.length || a.some((taint, index) => !isSameTaint(taint, b[index]));
}

function isSameTaint(a: Taint, b: Taint | undefined): boolean {
  return a.key === b?.key && a.effect === b.effect;
}
