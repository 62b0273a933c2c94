import { ENIAttachment } from '../../api/eni-attachment.js';
import { TAGS } from '../../api/names.js';
import { AlreadyDoneError, Ec2Error } from '../../aws/ec2-errors.js';
import type { Ec2Gateway, Eni } from '../../aws/ec2-gateway.js';
import { EniInventory } from '../../aws/inventory/eni-inventory.js';
import type { Store } from '../../runtime/cache/store.js';
import type { Clock } from '../../runtime/clock.js';
import type { ReconcileContext, Result } from '../../runtime/controller/controller.js';
import { Reconciler, Watch } from '../../runtime/controller/decorators.js';
import type { Logger } from '../../runtime/logger.js';
import { blockedByFailure } from '../shared/blocked.js';
import type { OrphanReporter } from './orphan-reporter.js';
import { type OrphanRules, type OrphanStep, planOrphan, type Sighting } from './plan-orphan.js';

export interface OrphanedENIReconcilerOptions {
  attachments: Store<ENIAttachment>;
  /** Reads from the API server, not from the store. */
  uncachedAttachments: { has(uid: string): Promise<boolean> };
  gateway: Pick<Ec2Gateway, 'deleteEni'>;
  inventory: Pick<EniInventory, 'get' | 'byAttachmentUID' | 'observe' | 'deleted'>;
  reporter: OrphanReporter;
  clock: Clock;
  rules: OrphanRules;
}

/**
 * Deletes ENIs of this cluster that have no attachment, for example after a finalizer was removed by hand. Its
 * keys are ENI ids. It keeps sightings in memory only: after a restart, the grace period of each orphan starts
 * over. It has few workers, because they share EC2's rate of Delete calls with the ENIs that users wait for.
 */
@Reconciler({ name: 'orphanedeni', concurrency: 8 })
export class OrphanedENIReconciler {
  private readonly sightings = new Map<string, Sighting>();

  constructor(private readonly options: OrphanedENIReconcilerOptions) {}

  @Watch(EniInventory)
  mapENIToItself(eni: Eni): string[] {
    return this.sightings.has(eni.id) || !this.hasStoredAttachment(eni) ? [eni.id] : [];
  }

  @Watch(ENIAttachment, { when: { added: () => false, updated: () => false } })
  mapDeletedAttachmentToENIs(attachment: ENIAttachment): string[] {
    return this.options.inventory.byAttachmentUID(attachment.metadata.uid).map(({ id }) => id);
  }

  async reconcile(eniId: string, { logger }: ReconcileContext): Promise<Result> {
    const eni = this.options.inventory.get(eniId);
    const step = this.plan(eniId, eni, eni !== undefined && this.hasStoredAttachment(eni));
    if (step.do === 'delete' || step.do === 'report') {
      return this.carryOut(eniId, await this.planOnFreshReads(eniId, step.sighting.eni), logger);
    }
    return this.carryOut(eniId, step, logger);
  }

  /** Plans again on fresh reads of the API server and then of EC2: stores and listings can be stale. */
  private async planOnFreshReads(eniId: string, { tags }: Eni): Promise<OrphanStep> {
    const { uncachedAttachments, inventory } = this.options;
    // An attachment exists before any ENI carries its UID: one that is missing now never appears.
    const isLive = await uncachedAttachments.has(tags[TAGS.attachmentUID] ?? '');
    const eni = await inventory.observe(eniId);
    return this.plan(eniId, eni, isLive || (eni !== undefined && this.hasStoredAttachment(eni)));
  }

  private plan(eniId: string, eni: Eni | undefined, hasAttachment: boolean): OrphanStep {
    const { clock, rules } = this.options;
    const sighting = this.sightings.get(eniId);
    return planOrphan({ eni, hasAttachment, sighting, now: clock.now() }, rules);
  }

  private async carryOut(eniId: string, step: OrphanStep, logger: Logger): Promise<Result> {
    const { reporter } = this.options;
    switch (step.do) {
      case 'forget':
        this.sightings.delete(eniId);
        return {};
      case 'wait':
        this.sightings.set(eniId, step.sighting);
        return { requeueAfter: step.ms };
      case 'leave':
        return {};
      case 'report':
        reporter.found(step.sighting.eni, step.finding, logger);
        this.sightings.set(eniId, { ...step.sighting, lastReported: step.finding });
        return {};
      case 'delete':
        return this.delete(step.sighting, logger);
      case 'confirmDeleted':
        return this.confirmDeleted(step.sighting, logger);
    }
  }

  private async delete(sighting: Sighting, logger: Logger): Promise<Result> {
    const { gateway, inventory } = this.options;
    const { eni } = sighting;
    this.sightings.set(eni.id, { ...sighting, deletionSent: true });
    try {
      await gateway.deleteEni(eni.id);
    } catch (error) {
      if (!(error instanceof AlreadyDoneError)) {
        return this.leaveForNow(sighting, error, logger);
      }
    }
    inventory.deleted(eni.id);
    return this.confirmDeleted(sighting, logger);
  }

  private confirmDeleted({ eni }: Sighting, logger: Logger): Result {
    this.sightings.delete(eni.id);
    this.options.reporter.deleted(eni, logger);
    return {};
  }

  /** EC2 may refuse again: the grace period starts over. */
  private leaveForNow(sighting: Sighting, error: unknown, logger: Logger): Result {
    const { reporter, clock, rules } = this.options;
    const blocked = error instanceof Ec2Error ? blockedByFailure(error) : undefined;
    if (!blocked) {
      throw error;
    }
    if (sighting.lastReported !== blocked.reason) {
      reporter.refused(sighting.eni, blocked, logger);
    }
    const { eni } = sighting;
    this.sightings.set(eni.id, { eni, since: clock.now(), lastReported: blocked.reason });
    return { requeueAfter: rules.gracePeriodMs };
  }

  private hasStoredAttachment({ tags }: Eni): boolean {
    const uid = tags[TAGS.attachmentUID];
    return uid !== undefined && this.options.attachments.byIndex('uid', uid).length > 0;
  }
}
