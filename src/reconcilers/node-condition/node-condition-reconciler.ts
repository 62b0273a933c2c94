import { NODE_CONDITIONS } from '../../api/conditions.js';
import { ENIAttachment } from '../../api/eni-attachment.js';
import { MANAGER_NAME } from '../../api/names.js';
import { Node } from '../../api/node.js';
import { NodeENI } from '../../api/node-eni.js';
import type { Store } from '../../runtime/cache/store.js';
import type { Clock } from '../../runtime/clock.js';
import type { ReconcileContext, Result } from '../../runtime/controller/controller.js';
import { Reconciler, Watch } from '../../runtime/controller/decorators.js';
import { generationChanged } from '../../runtime/controller/predicates.js';
import {
  type Condition,
  findCondition,
  rfc3339Seconds,
  type StatedCondition,
  setCondition,
} from '../../runtime/kube/conditions.js';
import type { EventRecorder } from '../../runtime/kube/events.js';
import { isConflict, isNotFound } from '../../runtime/kube/kube-errors.js';
import type { ResourceClient } from '../../runtime/kube/resource-client.js';
import type { Logger } from '../../runtime/logger.js';
import {
  PlannedAttachments,
  type PlannedAttachmentsChange,
} from '../node-eni/planned-attachments.js';
import { type BlockedBackoff, refusedWrite } from '../shared/blocked.js';
import { matchesSelector, placementChanged } from '../shared/node-placement.js';
import { retryRefusedNodeWrite } from '../shared/refused-node-write.js';
import { planNodeCondition } from './plan-node-condition.js';

export interface NodeConditionReconcilerOptions {
  nodes: Store<Node>;
  nodeENIs: Store<NodeENI>;
  /** Indexed by `instanceID`. */
  attachments: Store<ENIAttachment>;
  plannedAttachments: Pick<PlannedAttachments, 'of' | 'blockedOn'>;
  nodeClient: Pick<ResourceClient<Node>, 'patch'>;
  events: EventRecorder;
  /** Waits between retries of a write that the API server refuses. */
  blockedBackoff: BlockedBackoff;
  clock: Clock;
}

/** Concurrent reconciles; each makes at most one small write. */
const CONCURRENCY = 16;
/** Changes of a node's attachments within this time (milliseconds) lead to one reconcile. */
const COALESCE_MS = 500;
/** How long (milliseconds) a usually short state must last before the condition shows it. */
const GRACE_MS = 10_000;
/** Owner of the condition in the Node's managed fields. */
const FIELD_MANAGER = `${MANAGER_NAME}-node-condition`;

/**
 * Reports on each Node whether it has its ENIs: the condition `networking.k8s.aws/ENIsReady`, written only on
 * change.
 */
@Reconciler({ name: 'nodecondition', concurrency: CONCURRENCY })
export class NodeConditionReconciler {
  /** Since when a node is in a state that its condition does not show yet, by name. */
  private readonly waiting = new Map<string, { uid: string; since: number }>();

  constructor(private readonly options: NodeConditionReconcilerOptions) {}

  @Watch(Node, { when: { updated: conditionAffected } })
  mapNodeToItself(node: Node): string[] {
    const { name, labels } = node.metadata;
    const isSelected = this.options.nodeENIs
      .list()
      .some(({ spec }) => matchesSelector(spec.nodeSelector, labels));
    return isSelected || conditionOf(node) || this.waiting.has(name) ? [name] : [];
  }

  @Watch(ENIAttachment, { coalesceMs: COALESCE_MS })
  mapAttachmentToNode({ spec }: ENIAttachment): string[] {
    return [spec.nodeName];
  }

  @Watch(PlannedAttachments)
  mapPlannedAttachmentsToNode({ node }: PlannedAttachmentsChange): string[] {
    return [node];
  }

  @Watch(NodeENI, { when: generationChanged })
  mapNodeENIToNodes(nodeENI: NodeENI, old?: NodeENI): string[] {
    const selectors = [nodeENI, ...(old ? [old] : [])].map(({ spec }) => spec.nodeSelector);
    return this.options.nodes
      .list()
      .filter(({ metadata }) =>
        selectors.some((selector) => matchesSelector(selector, metadata.labels)),
      )
      .map(({ metadata }) => metadata.name);
  }

  async reconcile(key: string, { logger }: ReconcileContext): Promise<Result> {
    const { nodes, nodeENIs, attachments, plannedAttachments } = this.options;
    const node = nodes.get(key);
    const step = node
      ? planNodeCondition({
          node,
          nodeENIs: nodeENIs.list(),
          planned: (nodeENI) => plannedAttachments.of(nodeENI, key),
          blockedOn: (nodeENI) => plannedAttachments.blockedOn(nodeENI, key),
          attachment: (name) => attachments.get(name),
          attachmentsOn: (instanceID) => attachments.byIndex('instanceID', instanceID),
        })
      : undefined;
    if (!node || !step || step.do === 'leave') {
      this.forget(key);
      return {};
    }
    if (step.do === 'remove') {
      return this.write(node, undefined, logger);
    }
    const leftMs = step.later ? this.graceLeft(node) : 0;
    return leftMs > 0 ? { requeueAfter: leftMs } : this.write(node, step.condition, logger);
  }

  /** Milliseconds until the node has been in its current state for long enough. */
  private graceLeft({ metadata: { name, uid } }: Node): number {
    const now = this.options.clock.now();
    const known = this.waiting.get(name);
    const since = known?.uid === uid ? known.since : now;
    this.waiting.set(name, { uid, since });
    return since + GRACE_MS - now;
  }

  /** @param stated undefined: remove the condition */
  private async write(
    node: Node,
    stated: StatedCondition | undefined,
    logger: Logger,
  ): Promise<Result> {
    const { nodeClient, blockedBackoff, events, clock } = this.options;
    const { name, uid } = node.metadata;
    const conditions = stated ? [applied(node, stated, clock.now())] : [];
    // The uid protects a successor of the same name.
    const body = { metadata: { uid }, status: { conditions } };
    try {
      await nodeClient.patch(
        node.metadata,
        { type: 'apply', fieldManager: FIELD_MANAGER, force: true, body },
        { subresource: 'status' },
      );
    } catch (error) {
      if (isNotFound(error) || isConflict(error)) {
        // The node no longer exists, or another has its name: its own events trigger another reconcile.
        logger.debug('Node changed before its condition was written', {});
        this.forget(name);
        return {};
      }
      const what = `write the condition ${NODE_CONDITIONS.enisReady} of node ${name}`;
      const refused = refusedWrite(what, error);
      if (!refused) {
        throw error;
      }
      const summary = 'Node condition not written';
      return retryRefusedNodeWrite(
        { node, refused, action: 'WriteCondition', summary },
        { blockedBackoff, events, logger },
      );
    }
    this.forget(name);
    logger.debug('Node condition written', { ...stated });
    return {};
  }

  private forget(name: string): void {
    this.waiting.delete(name);
    this.options.blockedBackoff.forget(name);
  }
}

/** The Node's condition, with the time of this write. */
function applied(node: Node, stated: StatedCondition, now: number): object {
  const present = conditionOf(node);
  const [condition] = setCondition(present ? [present] : [], stated, now);
  return { ...condition, lastHeartbeatTime: rfc3339Seconds(now) };
}

function conditionOf(node: Node): Condition | undefined {
  return findCondition(node, NODE_CONDITIONS.enisReady);
}

/** Whether a change of a node can change its condition, or did change it. */
function conditionAffected(node: Node, old: Node): boolean {
  const [is, was] = [conditionOf(node), conditionOf(old)];
  return (
    node.metadata.uid !== old.metadata.uid ||
    placementChanged(node, old) ||
    is?.status !== was?.status ||
    is?.reason !== was?.reason ||
    is?.message !== was?.message
  );
}
