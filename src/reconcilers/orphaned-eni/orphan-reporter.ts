import { TAGS } from '../../api/names.js';
import { Node } from '../../api/node.js';
import type { Blocked, BlockedReason } from '../../api/reasons.js';
import type { Eni } from '../../aws/ec2-gateway.js';
import type { Store } from '../../runtime/cache/store.js';
import type { EventRecorder, Regarding } from '../../runtime/kube/events.js';
import type { Logger } from '../../runtime/logger.js';
import type { OrphanFinding } from './plan-orphan.js';

/** Hears of each orphan once for each thing that becomes of it, for metrics. */
export interface OrphanObserver {
  /** An ENI without an attachment stays, for that reason. */
  orphanLeft(reason: OrphanFinding | BlockedReason): void;
  orphanDeleted(): void;
}

export interface OrphanReporterOptions {
  nodes: Store<Node>;
  events: EventRecorder;
  /** What an Event is about where the ENI's node is gone. */
  cluster: Regarding;
  observer?: OrphanObserver | undefined;
}

/**
 * Tells users of ENIs that no attachment stands for. Nothing in Kubernetes is such an ENI's object, so an Event
 * is about the Node that the ENI was made for, where people look who miss a slot or an address; without
 * that Node it is about the `kube-system` namespace, which is always there and whose UID is the cluster's
 * identity. The controller's pod would be neither: it changes, and it may run outside of the cluster.
 */
export class OrphanReporter {
  constructor(private readonly options: OrphanReporterOptions) {}

  found(eni: Eni, finding: OrphanFinding, logger: Logger): void {
    logger.warn('ENI without an attachment', { reason: finding, ...fieldsOf(eni) });
    this.options.observer?.orphanLeft(finding);
    this.event(eni, 'Warning', finding, 'Observe', noteOf(eni, finding));
  }

  deleted(eni: Eni, logger: Logger): void {
    logger.info('ENI without an attachment deleted', fieldsOf(eni));
    this.options.observer?.orphanDeleted();
    const note = `${eni.id}, which no ENIAttachment stood for and nothing used, is deleted.`;
    this.event(eni, 'Normal', 'OrphanDeleted', 'Delete', note);
  }

  /** EC2 did not delete it. */
  refused(eni: Eni, { reason, message }: Blocked, logger: Logger): void {
    logger.warn('ENI without an attachment not deleted', { reason, message, ...fieldsOf(eni) });
    this.options.observer?.orphanLeft(reason);
    const note = `${eni.id} has no ENIAttachment and nothing uses it. ${message}`;
    this.event(eni, 'Warning', reason, 'Delete', note);
  }

  private event(
    eni: Eni,
    type: 'Normal' | 'Warning',
    reason: string,
    action: string,
    note: string,
  ): void {
    const { nodes, events, cluster } = this.options;
    const node = nodes.get(eni.tags[TAGS.node] ?? '');
    const regarding = node ? { kind: Node, object: node } : cluster;
    events.event(regarding, { type, reason, action, note });
  }
}

function noteOf({ id, status, attachment }: Eni, finding: OrphanFinding): string {
  if (finding === 'Orphaned') {
    return `${id} has no ENIAttachment and nothing uses it. It is kept because ORPHAN_CLEANUP=report.`;
  }
  const user = attachment
    ? `is attached to ${attachment.instanceId} at device index ${attachment.deviceIndex}`
    : `is ${status}`;
  return `${id} has no ENIAttachment, but ${user}. Detach it if nothing needs it; it is then deleted unless ORPHAN_CLEANUP says otherwise.`;
}

function fieldsOf({ id, subnetId, attachment, tags }: Eni): Record<string, unknown> {
  return {
    eniID: id,
    subnetID: subnetId,
    attachmentUID: tags[TAGS.attachmentUID],
    nodeENI: tags[TAGS.nodeENI],
    node: tags[TAGS.node],
    ...(attachment ? { instanceID: attachment.instanceId } : {}),
  };
}
