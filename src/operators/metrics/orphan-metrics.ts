import { Counter, type Registry } from 'prom-client';
import type { BlockedReason } from '../../api/reasons.js';
import type { OrphanObserver } from '../../reconcilers/orphaned-eni/orphan-reporter.js';
import type { OrphanFinding } from '../../reconcilers/orphaned-eni/plan-orphan.js';

const OUTCOMES = ['deleted', 'kept', 'in_use', 'refused'] as const;
type Outcome = (typeof OUTCOMES)[number];

/** Any other reason is why EC2 did not delete it. */
const OUTCOME_OF: Record<OrphanFinding, Outcome> = { Orphaned: 'kept', OrphanedInUse: 'in_use' };

/** `eni_orphans_total`: ENIs without an ENIAttachment. */
export class OrphanMetrics implements OrphanObserver {
  private readonly orphans: Counter<'outcome'>;

  private constructor(registry: Registry) {
    this.orphans = new Counter({
      name: 'eni_orphans_total',
      help: 'ENIs without an ENIAttachment, by outcome: deleted, kept (ORPHAN_CLEANUP=report), in_use, refused (EC2 did not delete the ENI).',
      labelNames: ['outcome'],
      registers: [registry],
    });
    for (const outcome of OUTCOMES) this.orphans.inc({ outcome }, 0);
  }

  static create(registry: Registry): OrphanMetrics {
    return new OrphanMetrics(registry);
  }

  orphanLeft(reason: OrphanFinding | BlockedReason): void {
    const outcome = isFinding(reason) ? OUTCOME_OF[reason] : 'refused';
    this.orphans.inc({ outcome });
  }

  orphanDeleted(): void {
    this.orphans.inc({ outcome: 'deleted' });
  }
}

function isFinding(reason: OrphanFinding | BlockedReason): reason is OrphanFinding {
  return reason in OUTCOME_OF;
}
