import { LRUCache } from 'lru-cache';
import { NODE_ENI_CONDITIONS } from '../../api/conditions.js';
import { NodeENI, type NodeENIStatus } from '../../api/node-eni.js';
import type { Blocked, BlockedReason } from '../../api/reasons.js';
import type { Clock } from '../../runtime/clock.js';
import { findCondition } from '../../runtime/kube/conditions.js';
import type { EventRecorder } from '../../runtime/kube/events.js';
import type { ResourceClient } from '../../runtime/kube/resource-client.js';
import { isBlocked, writtenOrBlocked } from '../shared/blocked.js';
import { type NodeENIReport, nodeENIStatus } from './node-eni-status.js';

/** Receives the state of NodeENIs, for metrics. */
export interface NodeENIObserver {
  /** The reason of each node that this NodeENI has no attachment for. */
  nodesBlocked(nodeENI: string, reasons: readonly BlockedReason[]): void;
}

export interface NodeENIReporterOptions {
  client: ResourceClient<NodeENI>;
  events: EventRecorder;
  clock: Clock;
  observer?: NodeENIObserver | undefined;
}

/** Reports a NodeENI's state to users: its status, and one Event for each change. */
export class NodeENIReporter {
  /** Why the API server last refused a status, by UID of the NodeENI. */
  private readonly lastRefusal = new LRUCache<string, string>({ max: 1_000 });

  constructor(private readonly options: NodeENIReporterOptions) {}

  /**
   * Writes the NodeENI's status if it has changed.
   * @returns why the API server refuses it; one Event reports that
   * @throws KubeApiError if the NodeENI has changed
   */
  async report(
    nodeENI: NodeENI,
    report: Omit<NodeENIReport, 'nodeENI' | 'now'>,
  ): Promise<Blocked | undefined> {
    const { client, clock, observer } = this.options;
    observer?.nodesBlocked(nodeENI.metadata.name, blockedReasons(report));
    const status = nodeENIStatus({ ...report, nodeENI, now: clock.now() });
    // Without the lock, a late write of a former leader would overwrite a newer status.
    const written = await writtenOrBlocked(
      `update the status of NodeENI ${nodeENI.metadata.name}`,
      client.patchStatus(nodeENI, status, { optimisticLock: true }),
    );
    if (isBlocked(written)) {
      this.refused(nodeENI, written);
      return written;
    }
    this.lastRefusal.delete(nodeENI.metadata.uid);
    if (written !== nodeENI) {
      this.emitEvents(nodeENI, status);
    }
    return undefined;
  }

  private refused(nodeENI: NodeENI, { reason, message: note }: Blocked): void {
    const { uid } = nodeENI.metadata;
    if (this.lastRefusal.get(uid) === note) return;
    this.lastRefusal.set(uid, note);
    const event = { type: 'Warning', reason, action: 'Reconcile', note } as const;
    this.options.events.event({ kind: NodeENI, object: nodeENI }, event);
  }

  private emitEvents(nodeENI: NodeENI, status: NodeENIStatus): void {
    const { events } = this.options;
    const regarding = { kind: NodeENI, object: nodeENI };
    const degraded = newly(NODE_ENI_CONDITIONS.degraded, nodeENI.status, status);
    if (degraded?.status === 'True') {
      const { reason, message } = degraded;
      events.event(regarding, { type: 'Warning', reason, action: 'Reconcile', note: message });
    }
    const ready = newly(NODE_ENI_CONDITIONS.ready, nodeENI.status, status);
    if (ready?.status === 'True') {
      const { reason, message } = ready;
      events.event(regarding, { type: 'Normal', reason, action: 'Reconcile', note: message });
    }
    const adopted = newly(NODE_ENI_CONDITIONS.adopted, nodeENI.status, status);
    if (adopted) {
      const { reason, message: note } = adopted;
      const type = adopted.status === 'True' ? 'Normal' : 'Warning';
      events.event(regarding, { type, reason, action: 'Adopt', note });
    }
    const changed = newly(NODE_ENI_CONDITIONS.networkAttachment, nodeENI.status, status);
    if (changed) {
      const { reason, message } = changed;
      const type = changed.status === 'True' ? 'Normal' : 'Warning';
      events.event(regarding, { type, reason, action: 'ApplyDefinitions', note: message });
    }
  }
}

/** A fault of the NodeENI itself blocks all its nodes, and counts once where it has none. */
function blockedReasons({
  fault,
  nodes,
  blockedNodes,
}: Pick<NodeENIReport, 'fault' | 'nodes' | 'blockedNodes'>): BlockedReason[] {
  return fault
    ? Array.from({ length: Math.max(1, nodes) }, () => fault.reason)
    : [...new Map(blockedNodes.map(({ node, blocked }) => [node, blocked.reason])).values()];
}

/** The condition of this type, if its status or reason has changed. */
function newly(type: string, old: NodeENIStatus | undefined, next: NodeENIStatus) {
  const before = findCondition({ status: old }, type);
  const after = findCondition({ status: next }, type);
  return before?.status === after?.status && before?.reason === after?.reason ? undefined : after;
}
