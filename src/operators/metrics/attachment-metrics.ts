import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { type ENIAttachment, PHASES } from '../../api/eni-attachment.js';
import type { NodeENI } from '../../api/node-eni.js';
import type { AttachmentObserver } from '../../reconcilers/eni-attachment/attachment-reporter.js';
import type { Milestone } from '../../reconcilers/eni-attachment/milestone-timer.js';
import type { Store } from '../../runtime/cache/store.js';

export interface AttachmentMetricsOptions {
  registry: Registry;
  attachments: Pick<Store<ENIAttachment>, 'list'>;
  nodeENIs: Pick<Store<NodeENI>, 'list'>;
  /** A standby would count the same objects again. */
  isLeader: () => boolean;
}

/**
 * In seconds. EC2 needs two for an attachment; its rate limit alone delays 10,000 at the same time by half an
 * hour.
 */
const BUCKETS = [1, 2, 3, 4, 5, 7.5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1_800];

/** The kinds that {@link AttachmentObserver} gets; they start at 0. */
const DRIFT_KINDS = [
  'attachment',
  'interface',
  'deleteOnTermination',
  'securityGroupIds',
  'description',
  'tags',
];

/** How many ENIs exist and are desired, how long they take, and what had to be repaired. */
export class AttachmentMetrics implements AttachmentObserver {
  private readonly times: Record<Milestone, Histogram>;
  private readonly repairs: Counter<'kind'>;

  private constructor({ registry, attachments, nodeENIs, isLeader }: AttachmentMetricsOptions) {
    const registers = [registry];
    new Gauge({
      name: 'eni_attachments',
      help: 'ENIAttachments by phase.',
      labelNames: ['phase'],
      registers,
      collect() {
        if (!isLeader()) return;
        const counts = new Map<string, number>(PHASES.map((phase) => [phase, 0]));
        for (const { status } of attachments.list()) {
          const phase = status?.phase ?? 'Pending';
          counts.set(phase, (counts.get(phase) ?? 0) + 1);
        }
        for (const [phase, count] of counts) this.set({ phase }, count);
      },
    });
    new Gauge({
      name: 'eni_desired',
      help: 'ENIs that nodes should have, for all NodeENIs together.',
      registers,
      collect() {
        if (!isLeader()) return;
        this.set(nodeENIs.list().reduce((sum, { status }) => sum + (status?.desired ?? 0), 0));
      },
    });
    this.times = {
      attached: new Histogram({
        name: 'eni_attach_seconds',
        help: 'Time from the creation of an ENIAttachment until EC2 first attached its ENI.',
        buckets: BUCKETS,
        registers,
      }),
      ready: new Histogram({
        name: 'eni_ready_seconds',
        help: 'Time from the creation of an ENIAttachment until its ENI was first Ready.',
        buckets: BUCKETS,
        registers,
      }),
    };
    this.repairs = new Counter({
      name: 'eni_drift_repairs_total',
      help: 'Repairs started after a change in EC2 outside this operator, by kind: the name of a setting, attachment (the ENI was detached) or interface (the ENI was deleted).',
      labelNames: ['kind'],
      registers,
    });
    for (const kind of DRIFT_KINDS) this.repairs.inc({ kind }, 0);
  }

  static create(options: AttachmentMetricsOptions): AttachmentMetrics {
    return new AttachmentMetrics(options);
  }

  reached(milestone: Milestone, seconds: number): void {
    this.times[milestone].observe(seconds);
  }

  driftRepaired(kind: string): void {
    this.repairs.inc({ kind });
  }
}
