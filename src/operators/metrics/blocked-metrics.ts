import { Gauge, type Registry } from 'prom-client';
import { ENI_ATTACHMENT_CONDITIONS } from '../../api/conditions.js';
import type { ENIAttachment } from '../../api/eni-attachment.js';
import { LINK_REMEDIES } from '../../api/link-faults.js';
import type { NodeENI } from '../../api/node-eni.js';
import { type BlockedReason, REMEDIES } from '../../api/reasons.js';
import type { NodeENIObserver } from '../../reconcilers/node-eni/node-eni-reporter.js';
import type { Store } from '../../runtime/cache/store.js';
import { findCondition } from '../../runtime/kube/conditions.js';

export interface BlockedMetricsOptions {
  registry: Registry;
  attachments: Pick<Store<ENIAttachment>, 'list'>;
  nodeENIs: Pick<Store<NodeENI>, 'has'>;
  /** A standby would count the same objects again. */
  isLeader: () => boolean;
}

const REASONS = Object.keys({ ...REMEDIES, ...LINK_REMEDIES });

/** `eni_blocked`: what only a user can unblock, by reason. */
export class BlockedMetrics implements NodeENIObserver {
  /** By NodeENI: the reasons of the nodes that it could not create an attachment for. */
  private readonly blockedNodes = new Map<string, readonly BlockedReason[]>();

  private constructor(private readonly options: BlockedMetricsOptions) {
    const { registry, isLeader } = options;
    const reasons = (): Iterable<string> => this.reasons();
    new Gauge({
      name: 'eni_blocked',
      help: 'ENIs, and nodes without ENIAttachment, that are blocked until a user acts, by the reason in conditions and Events.',
      labelNames: ['reason'],
      registers: [registry],
      collect() {
        if (!isLeader()) return;
        const counts = new Map(REASONS.map((reason) => [reason, 0]));
        for (const reason of reasons()) {
          const count = counts.get(reason);
          if (count !== undefined) counts.set(reason, count + 1);
        }
        for (const [reason, count] of counts) this.set({ reason }, count);
      },
    });
  }

  static create(options: BlockedMetricsOptions): BlockedMetrics {
    return new BlockedMetrics(options);
  }

  nodesBlocked(nodeENI: string, reasons: readonly BlockedReason[]): void {
    if (reasons.length === 0) this.blockedNodes.delete(nodeENI);
    else this.blockedNodes.set(nodeENI, reasons);
  }

  private *reasons(): Generator<string> {
    const { attachments, nodeENIs } = this.options;
    for (const attachment of attachments.list()) {
      const ready = findCondition(attachment, ENI_ATTACHMENT_CONDITIONS.ready);
      if (ready?.status === 'False') yield ready.reason;
    }
    for (const [nodeENI, reasons] of this.blockedNodes) {
      if (nodeENIs.has(nodeENI)) yield* reasons;
      else this.blockedNodes.delete(nodeENI);
    }
  }
}
