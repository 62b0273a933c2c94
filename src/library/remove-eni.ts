import { ConflictError } from '../aws/ec2-errors.js';
import type { Ec2Calls } from './ec2-calls.js';
import { attachmentOf, type EniWrites } from './eni-writes.js';
import type { RemoveENIRequest, WaitOptions } from './requests.js';
import { slotTags } from './slot-tags.js';

export interface RemoverOptions {
  calls: Ec2Calls;
  writes: EniWrites;
  /** Value of the tag that identifies the owner of the ENIs. */
  owner: string;
}

/** Detaches and deletes ENIs, continuing where an earlier call stopped. */
export class EniRemover {
  constructor(private readonly options: RemoverOptions) {}

  /**
   * @returns the ids of the ENIs that were removed
   * @throws Ec2Error, ENITimeoutError; the signal's reason
   */
  async remove(request: RemoveENIRequest, options: WaitOptions): Promise<string[]> {
    const ids = 'eniId' in request ? [request.eniId] : await this.idsOf(request, options);
    await Promise.all(ids.map((id) => this.removeOne(id, options)));
    return ids;
  }

  private async idsOf(
    slot: Exclude<RemoveENIRequest, { eniId: string }>,
    { signal }: WaitOptions,
  ): Promise<string[]> {
    const { calls, writes, owner } = this.options;
    const tags = slotTags(owner, slot);
    const listed = await calls.run(signal, (ec2) => ec2.listEnis({ tags }));
    const made = writes.madeWith(tags);
    return [...new Set([...listed.map(({ id }) => id), ...made])].filter(
      (id) => !writes.isGone(id),
    );
  }

  private async removeOne(eniId: string, options: WaitOptions): Promise<void> {
    const { calls, writes } = this.options;
    for (let attempt = 1; ; attempt += 1) {
      const eni = await calls.observe(eniId, options.signal);
      const at = eni && attachmentOf(eni);
      if (at && at.status !== 'detaching') await writes.detach(at.attachmentId, options);
      if (at) {
        await calls.until(
          eniId,
          'detached',
          (now) => !(now && attachmentOf(now)) || undefined,
          options,
        );
      }
      try {
        return await writes.delete(eniId, options);
      } catch (error) {
        // The read was older than an attach, or EC2 is still detaching.
        const isInUse = error instanceof ConflictError && error.reason === 'InterfaceInUse';
        if (!isInUse || attempt >= MAX_ATTEMPTS) throw error;
        await calls.pause(options.signal);
      }
    }
  }
}

/** Reads of an ENI that EC2 reports as in use; each takes seconds. */
const MAX_ATTEMPTS = 20;
