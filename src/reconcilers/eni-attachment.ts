import { ENIAttachment } from '../api/eni-attachment.js';
import { TAGS } from '../api/names.js';
import { Ec2Error, ThrottledError } from '../aws/ec2-error.js';
import type { Eni } from '../aws/ec2-gateway.js';
import { EniInventory } from '../aws/eni-inventory.js';
import type { ExponentialBackoff } from '../runtime/backoff.js';
import { Reconciler, Watch } from '../runtime/decorators.js';
import type { Logger } from '../runtime/logger.js';
import { keyOf } from '../runtime/resource.js';
import type { Result } from '../runtime/result.js';
import type { Store } from '../runtime/store.js';
import type { AttachmentProvider, Outcome } from './attachment-provider.js';
import type { AttachmentRemover } from './attachment-remover.js';
import type { AttachmentReporter } from './attachment-reporter.js';
import { blockedByFailure } from './ec2-failures.js';

export interface ENIAttachmentReconcilerOptions {
  records: Store<ENIAttachment>;
  provider: AttachmentProvider;
  remover: AttachmentRemover;
  reporter: AttachmentReporter;
  /** Waits between tries of what somebody has to correct. */
  blockedBackoff: ExponentialBackoff;
  /** Milliseconds between looks at what EC2 is doing. */
  observeIntervalMs: number;
  logger: Logger;
}

/** Whether a change of a record is not merely our own status write. */
export function recordChanged(record: ENIAttachment, old: ENIAttachment | undefined): boolean {
  return (
    old === undefined ||
    record.metadata.generation !== old.metadata.generation ||
    record.metadata.deletionTimestamp !== old.metadata.deletionTimestamp ||
    record.status?.link?.state !== old.status?.link?.state
  );
}

/**
 * Turns records into EC2 calls, and is the only one that does. Each pass takes one step: it reads the
 * record, reads what EC2 has, and does what {@link planAttachment} or {@link planRemoval} say.
 */
@Reconciler({ for: ENIAttachment, when: recordChanged })
export class ENIAttachmentReconciler {
  constructor(private readonly options: ENIAttachmentReconcilerOptions) {}

  @Watch(EniInventory)
  recordOf(eni: Eni): string[] {
    const uid = eni.tags[TAGS.attachmentUID];
    return uid === undefined ? [] : this.options.records.byIndex('uid', uid).map(keyOf);
  }

  async reconcile(key: string): Promise<Result> {
    const { records, provider, remover, blockedBackoff } = this.options;
    const record = records.get(key);
    if (!record) {
      blockedBackoff.forget(key);
      return {};
    }
    try {
      const outcome = await (record.metadata.deletionTimestamp ? remover : provider).step(record);
      return await this.resultOf(record, outcome);
    } catch (error) {
      return await this.failed(record, error);
    }
  }

  private async resultOf(record: ENIAttachment, outcome: Outcome): Promise<Result> {
    const { reporter, blockedBackoff, observeIntervalMs, logger } = this.options;
    if (typeof outcome === 'object') {
      await reporter.blocked(record, outcome.blocked, outcome.eni);
      const requeueAfter = blockedBackoff.next(record.metadata.name);
      logger.warn('ENI blocked', { key: record.metadata.name, ...outcome.blocked, requeueAfter });
      return { requeueAfter };
    }
    switch (outcome) {
      case 'again':
        return { requeueAfter: 0 };
      case 'later':
        return { requeueAfter: observeIntervalMs };
      case 'done':
        blockedBackoff.forget(record.metadata.name);
        return {};
    }
  }

  private async failed(record: ENIAttachment, error: unknown): Promise<Result> {
    if (!(error instanceof Ec2Error) || error instanceof ThrottledError) {
      throw error;
    }
    const blocked = blockedByFailure(error);
    if (!blocked) {
      throw error;
    }
    return this.resultOf(record, { blocked });
  }
}
