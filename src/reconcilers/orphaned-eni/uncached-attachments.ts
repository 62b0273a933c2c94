import { ENIAttachment } from '../../api/eni-attachment.js';
import type { Clock } from '../../runtime/clock.js';
import { Batcher } from '../../runtime/concurrency/batcher.js';
import type { KubeClient } from '../../runtime/kube/kube-client.js';

export interface UncachedAttachmentsOptions {
  client: Pick<KubeClient, 'list'>;
  clock: Clock;
}

/** Attachments per page. */
const PAGE_SIZE = 500;
/** Milliseconds between the starts of two listings, and that a listing waits for further callers. */
const MIN_INTERVAL_MS = 1_000;
const GATHER_MS = 20;
const MAX_BATCH = 1_000;

/**
 * Which attachments exist, read from the API server and not from the store. The API server cannot find an object by
 * UID, and the tags of an ENI that name its attachment may have been edited. So it lists all attachments, once for
 * all concurrent callers.
 */
export class UncachedAttachments {
  private readonly uids: Batcher<string, true>;

  private constructor(private readonly options: UncachedAttachmentsOptions) {
    this.uids = Batcher.create({
      fetch: () => this.list(),
      clock: options.clock,
      gatherMs: GATHER_MS,
      minIntervalMs: MIN_INTERVAL_MS,
      maxBatch: MAX_BATCH,
    });
  }

  static create(options: UncachedAttachmentsOptions): UncachedAttachments {
    return new UncachedAttachments(options);
  }

  /**
   * Whether an attachment has that UID, as of a listing that begins after the call.
   * @throws the errors of {@link KubeClient}; then the result is unknown.
   */
  async has(uid: string): Promise<boolean> {
    return (await this.uids.load(uid)) ?? false;
  }

  private async list(): Promise<Map<string, true>> {
    const found = new Map<string, true>();
    let next: string | undefined;
    do {
      const page = await this.options.client.list<ENIAttachment>(ENIAttachment.resource, {
        limit: PAGE_SIZE,
        continue: next,
      });
      for (const { metadata } of page.items) {
        found.set(metadata.uid, true);
      }
      next = page.continue;
    } while (next);
    return found;
  }
}
