import { ENIAttachment } from '../../api/eni-attachment.js';
import { Node } from '../../api/node.js';
import { NodeENI } from '../../api/node-eni.js';
import { type Taint, taintName } from '../../api/taints.js';
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
import { placementChanged } from '../shared/node-placement.js';
import { planReadiness, startupTaintOf, startupTaints, taintRemoval } from './plan-readiness.js';

export interface NodeReadinessReconcilerOptions {
  /** Indexed by `taint`: the `key:Effect` of each. */
  nodes: Store<Node>;
  nodeENIs: Store<NodeENI>;
  attachments: Store<ENIAttachment>;
  plannedAttachments: Pick<PlannedAttachments, 'of'>;
  nodeClient: Pick<ResourceClient<Node>, 'get' | 'patch'>;
  events: EventRecorder;
}

/** Each removal is one small write that pods wait for. */
const CONCURRENCY = 16;

/**
 * Takes the startup taint off a node once the node has all its ENIs, so that no pod meets it without them.
 * It never adds one: a node that loses an ENI later keeps its pods. Nodes without such a taint wake nobody.
 */
@Reconciler({ name: 'nodereadiness', concurrency: CONCURRENCY })
export class NodeReadinessReconciler {
  /** UIDs of the nodes whose taint nobody will remove, as their users were told, by name. */
  private readonly lastReported = new Map<string, string>();

  constructor(private readonly options: NodeReadinessReconcilerOptions) {}

  @Watch(Node, { when: { updated: readinessChanged } })
  changed({ metadata: { name }, spec }: Node): string[] {
    return this.lastReported.has(name) || this.hasStartupTaint(spec?.taints) ? [name] : [];
  }

  @Watch(ENIAttachment, { when: { deleted: () => false } })
  nodeOf({ spec }: ENIAttachment): string[] {
    return this.ifWaiting(spec.nodeName);
  }

  @Watch(PlannedAttachments)
  demandedFor({ node }: PlannedAttachmentsChange): string[] {
    return this.ifWaiting(node);
  }

  @Watch(NodeENI, { when: generationChanged })
  waitingNodes(nodeENI: NodeENI): string[] {
    const { nodes, nodeENIs } = this.options;
    const taints = startupTaints(nodeENIs.list()).add(startupTaintOf(nodeENI));
    const waiting = [...taints].flatMap((taint) => nodes.byIndex('taint', taint));
    return [...new Set(waiting.map(({ metadata }) => metadata.name))];
  }

  async reconcile(key: string, { logger }: ReconcileContext): Promise<Result> {
    const { nodes, nodeENIs, attachments, plannedAttachments } = this.options;
    const node = nodes.get(key);
    const step = node
      ? planReadiness({
          node,
          nodeENIs: nodeENIs.list(),
          wanted: (nodeENI) => plannedAttachments.of(nodeENI, key),
          attachment: (name) => attachments.get(name),
        })
      : undefined;
    if (node && step?.do === 'tell') {
      this.tellUnselected(node, step.taints, logger);
      return {};
    }
    this.lastReported.delete(key);
    if (node && step?.do === 'remove') {
      await this.remove(node, step, logger);
    }
    return {};
  }

  private async remove(
    node: Node,
    { taints, nodeENIs }: { taints: Taint[]; nodeENIs: string[] },
    logger: Logger,
  ): Promise<void> {
    const { nodeClient, events } = this.options;
    try {
      await nodeClient.patch(node.metadata, { type: 'json', body: taintRemoval(node, taints) });
    } catch (error) {
      if (isNotFound(error) || (isInvalid(error) && (await this.hasMoved(node)))) {
        // What has changed meanwhile wakes this node again.
        logger.debug('Node changed before its startup taint was removed', {});
        return;
      }
      throw error;
    }
    const names = taints.map(taintName).join(', ');
    logger.info('Startup taint removed', { taint: names, nodeENIs });
    events.event(
      { kind: Node, object: node },
      {
        type: 'Normal',
        reason: 'ENIsReady',
        action: 'RemoveTaint',
        note: `All ENIs of ${nodeENIs.join(', ')} are ready; the startup taint ${names} is removed.`,
      },
    );
  }

  /** Whether the store is behind on what the API server refused a patch for; else it refuses for another reason. */
  private async hasMoved(node: Node): Promise<boolean> {
    const live = await this.options.nodeClient.get(node.metadata);
    return isAnother(live, node) || taintsChanged(live, node);
  }

  /** Once a node: nothing will change until somebody does something about it. */
  private tellUnselected(node: Node, taints: readonly Taint[], logger: Logger): void {
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
        note: `The node keeps its startup taint ${names}, for no NodeENI with that taint selects it. Give it the labels of the NodeENI's nodeSelector, or take the taint off.`,
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

/** Whether a change of a node can change what becomes of its startup taint. */
function readinessChanged(node: Node, old: Node): boolean {
  return isAnother(node, old) || placementChanged(node, old) || taintsChanged(node, old);
}

/** Made anew under its name: where that was while no watch ran, it is told of as a change. */
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
