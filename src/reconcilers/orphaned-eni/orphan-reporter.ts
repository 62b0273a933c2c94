import { TAGS } from '../../api/names.js';
import { Node } from '../../api/node.js';
import type { Blocked, BlockedReason } from '../../api/reasons.js';
import type { Eni } from '../../aws/ec2-gateway.js';
import type { Store } from '../../runtime/cache/store.js';
import type { EventRecorder, Regarding } from '../../runtime/kube/events.js';
import type { Logger } from '../../runtime/logger.js';
import type { OrphanFinding } from './plan-orphan.js';

/** Called once per orphan and result, for metrics. */
export interface OrphanObserver {
  /** An ENI without an attachment was not deleted, for that reason. */
  orphanLeft(reason: OrphanFinding | BlockedReason): void;
  orphanDeleted(): void;
}

export interface OrphanReporterOptions {
  nodes: Store<Node>;
  events: EventRecorder;
  /** The object of Events about an ENI whose node no longer exists. */
  cluster: Regarding;
  observer?: OrphanObserver | undefined;
}

/**
 * Reports ENIs that have no attachment. No Kubernetes object represents such an ENI, so its Events are about the
 * Node that the ENI was created for, where users look when a slot or an address is missing. Without that Node they
 * are about the `kube-system` namespace, which always exists and whose UID identifies the cluster. The controller's
 * pod would not do: it changes, and it can run outside the cluster.
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
    const note = `${eni.id}, which had no ENIAttachment and which nothing used, was deleted.`;
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
  return `${id} has no ENIAttachment, but ${user}. Detach it if nothing needs it; the controller then deletes it unless ORPHAN_CLEANUP=report.`;
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
