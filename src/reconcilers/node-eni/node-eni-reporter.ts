import { NODE_ENI_CONDITIONS } from '../../api/conditions.js';
import { NodeENI, type NodeENIStatus } from '../../api/node-eni.js';
import type { BlockedReason } from '../../api/reasons.js';
import type { Clock } from '../../runtime/clock.js';
import type { EventRecorder } from '../../runtime/kube/events.js';
import type { ResourceClient } from '../../runtime/kube/resource-client.js';
import { type NodeENIReport, nodeENIStatus } from './node-eni-status.js';

/** Hears how NodeENIs stand, for metrics. */
export interface NodeENIObserver {
  /** Why nodes have no attachment of this NodeENI: the reason of each such node. */
  nodesBlocked(nodeENI: string, reasons: readonly BlockedReason[]): void;
}

export interface NodeENIReporterOptions {
  client: ResourceClient<NodeENI>;
  events: EventRecorder;
  clock: Clock;
  observer?: NodeENIObserver | undefined;
}

/** Tells users how a NodeENI stands: its status, and one Event a change. */
export class NodeENIReporter {
  constructor(private readonly options: NodeENIReporterOptions) {}

  /**
   * Writes the NodeENI's status where it says something new.
   * @throws KubeApiError where the API server does not take it: a conflict where the NodeENI has changed
   */
  async report(nodeENI: NodeENI, report: Omit<NodeENIReport, 'nodeENI' | 'now'>): Promise<void> {
    const { client, clock, observer } = this.options;
    observer?.nodesBlocked(nodeENI.metadata.name, blockedReasons(report));
    const status = nodeENIStatus({ ...report, nodeENI, now: clock.now() });
    // Without the lock, the last word of a dead controller that arrives late would stand.
    const written = await client.patchStatus(nodeENI, status, { optimisticLock: true });
    if (written === nodeENI) {
      return;
    }
    this.tell(nodeENI, status);
  }

  private tell(nodeENI: NodeENI, status: NodeENIStatus): void {
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
    const changed = newly(NODE_ENI_CONDITIONS.networkAttachment, nodeENI.status, status);
    if (changed) {
      const { reason, message } = changed;
      const type = changed.status === 'True' ? 'Normal' : 'Warning';
      events.event(regarding, { type, reason, action: 'ApplyDefinitions', note: message });
    }
  }
}

/** A fault of the NodeENI itself keeps every node of it from its ENIs; where it says of none, it counts once. */
function blockedReasons({
  fault,
  nodes,
  blockedNodes,
}: Pick<NodeENIReport, 'fault' | 'nodes' | 'blockedNodes'>): BlockedReason[] {
  return fault
    ? Array.from({ length: Math.max(1, nodes) }, () => fault.reason)
    : blockedNodes.map(({ blocked }) => blocked.reason);
}

/** The condition of this type, where its status or reason is another than before. */
function newly(type: string, old: NodeENIStatus | undefined, next: NodeENIStatus) {
  const find = (status: NodeENIStatus | undefined) =>
    status?.conditions?.find((condition) => condition.type === type);
  const before = find(old);
  const after = find(next);
  return before?.status === after?.status && before?.reason === after?.reason ? undefined : after;
}
