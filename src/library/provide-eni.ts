import {
  CapacityError,
  ConflictError,
  DeniedError,
  NotYetVisibleError,
  UserError,
} from '../aws/ec2-errors.js';
import type { Eni } from '../aws/ec2-gateway.js';
import type { Ec2Calls } from './ec2-calls.js';
import { attachmentOf, type EniWrites, holdsSlot } from './eni-writes.js';
import { instanceBy, securityGroupBy, subnetBy } from './lookups.js';
import type { ProvideENIRequest, WaitOptions } from './requests.js';
import { creationTags, slotTags, slotToken } from './slot-tags.js';

export interface ProviderOptions {
  calls: Ec2Calls;
  writes: EniWrites;
  /** Value of the tag that identifies the owner of the ENIs. */
  owner: string;
}

/** A request whose names have been resolved. */
interface Wanted {
  request: ProvideENIRequest;
  slot: { instanceId: string; deviceIndex: number; networkCardIndex: number };
  subnetId: string;
  ipv6Native: boolean;
  securityGroupIds: string[];
}

/** Takes an ENI from nothing to attached, continuing where an earlier call stopped. */
export class EniProvider {
  constructor(private readonly options: ProviderOptions) {}

  /** @throws Ec2Error, ENITimeoutError; the signal's reason */
  async provide(request: ProvideENIRequest, options: WaitOptions): Promise<Eni> {
    const wanted = await this.lookUp(request, options);
    const found = await this.find(wanted, options);
    const finished = found && (await this.finishUnlessGone(found, wanted, options));
    if (finished) return finished;
    for (let earlier = 0; ; earlier += 1) {
      const eni = await this.create(wanted, earlier, options);
      if (!eni) continue;
      try {
        const provided = await this.finishUnlessGone(eni, wanted, options);
        if (provided) return provided;
      } catch (error) {
        await this.undo(eni, error);
        throw error;
      }
    }
  }

  /**
   * Undefined if EC2 does not know the ENI: it was deleted, and a read or its ClientToken still returned it.
   */
  private async finishUnlessGone(
    eni: Eni,
    wanted: Wanted,
    options: WaitOptions,
  ): Promise<Eni | undefined> {
    try {
      return await this.finish(eni, wanted, options);
    } catch (error) {
      const isGone =
        error instanceof NotYetVisibleError && error.code === 'InvalidNetworkInterfaceID.NotFound';
      if (!isGone) throw error;
      this.options.writes.markGone(eni.id);
      return undefined;
    }
  }

  private async lookUp(request: ProvideENIRequest, options: WaitOptions): Promise<Wanted> {
    const { calls } = this.options;
    const { signal } = options;
    const { instanceId, deviceIndex, networkCardIndex = 0, subnet: wanted } = request;
    const zone =
      'name' in wanted ? (await instanceBy(calls, instanceId, { signal })).zone : undefined;
    const subnet = await subnetBy(calls, wanted, { ...(zone ? { zone } : {}), signal });
    const groups = request.securityGroups.map((group) =>
      'id' in group ? group : securityGroupBy(calls, group, { vpcId: subnet.vpcId, signal }),
    );
    return {
      request,
      slot: { instanceId, deviceIndex, networkCardIndex },
      subnetId: subnet.id,
      ipv6Native: subnet.ipv6Native ?? false,
      securityGroupIds: (await Promise.all(groups)).map(({ id }) => id),
    };
  }

  /** The slot's ENI that an earlier call created. */
  private async find(
    { slot, subnetId }: Wanted,
    { signal }: WaitOptions,
  ): Promise<Eni | undefined> {
    const { calls, writes, owner } = this.options;
    const tags = slotTags(owner, slot);
    const listed = await calls.run(signal, (ec2) => ec2.listEnis({ tags }));
    const all = listed
      .filter(({ id }) => !writes.isGone(id))
      .sort((a, b) => Number(holdsSlot(b, slot)) - Number(holdsSlot(a, slot)));
    const other = all.find((eni) => eni.subnetId !== subnetId);
    if (other) {
      const message = `${other.id} was provided for this slot in ${other.subnetId}, not in ${subnetId}. Remove it first`;
      throw new UserError({ action: 'provideENI', code: 'OtherSubnet', message }, 'InvalidRequest');
    }
    return all[0];
  }

  /** Undefined if the token is used up: the ENI that it made is deleted. */
  private async create(
    wanted: Wanted,
    earlier: number,
    options: WaitOptions,
  ): Promise<Eni | undefined> {
    const { writes, owner } = this.options;
    const { request, slot, subnetId, ipv6Native, securityGroupIds } = wanted;
    const { description, tags } = request;
    try {
      const eni = await writes.create(
        {
          clientToken: slotToken(owner, slot, { subnetId, earlier }),
          subnetId,
          securityGroupIds,
          ...(description === undefined ? {} : { description }),
          // An IPv6-only subnet has no IPv4 block, and EC2 assigns an address only on request.
          ...(ipv6Native ? { ipv6AddressCount: 1 } : {}),
          tags: { ...tags, ...creationTags(owner, slot) },
        },
        options,
      );
      return writes.isGone(eni.id) ? undefined : eni;
    } catch (error) {
      if (!(error instanceof ConflictError && error.reason === 'IdempotencyMismatch')) throw error;
      // The token created an ENI with other settings, just now in another call, or long ago.
      return this.findWithinWindow(wanted, options);
    }
  }

  private async findWithinWindow(wanted: Wanted, options: WaitOptions): Promise<Eni | undefined> {
    const { calls } = this.options;
    const deadline = calls.now() + calls.consistencyWindowMs;
    for (;;) {
      const found = await this.find(wanted, options);
      if (found || calls.now() >= deadline) return found;
      await calls.pause(options.signal);
    }
  }

  /** Attaches the ENI, unless it is attached, and applies the request's settings. */
  private async finish(eni: Eni, wanted: Wanted, options: WaitOptions): Promise<Eni> {
    const { calls, writes } = this.options;
    const { slot, request } = wanted;
    const at = attachmentOf(eni);
    if (at?.status === 'detaching') {
      await calls.until(eni.id, 'detached', (now) => !(now && attachmentOf(now)) || undefined, {
        ...options,
      });
    }
    const attachmentId =
      at && holdsSlot(eni, slot)
        ? at.attachmentId
        : await writes.attach({ eniId: eni.id, ...slot }, options);
    const { deleteOnTermination = true } = request;
    if ((holdsSlot(eni, slot) && at?.deleteOnTermination) !== deleteOnTermination) {
      await writes.setDeleteOnTermination(eni.id, attachmentId, deleteOnTermination, options);
    }
    await this.adjust(eni, wanted, options);
    return calls.until(
      eni.id,
      'attached',
      (now) => (now && attachmentOf(now)?.status === 'attached' ? now : undefined),
      options,
    );
  }

  /** Changes settings of an ENI that an earlier call created. */
  private async adjust(eni: Eni, wanted: Wanted, { signal }: WaitOptions): Promise<void> {
    const { calls, owner } = this.options;
    const { description } = wanted.request;
    const groups = [...wanted.securityGroupIds].sort();
    const tags = Object.entries({
      ...wanted.request.tags,
      ...creationTags(owner, wanted.slot),
    }).filter(([key, value]) => eni.tags[key] !== value);
    await calls.run(
      signal,
      async (ec2) => {
        if (eni.securityGroupIds.join() !== groups.join()) {
          await ec2.setSecurityGroups(eni.id, groups);
        }
        if (description !== undefined && description !== eni.description) {
          await ec2.setDescription(eni.id, description);
        }
        if (tags.length > 0) await ec2.setTags(eni.id, Object.fromEntries(tags));
      },
      { mayBeNew: true },
    );
  }

  /** After a permanent refusal, deletes the new ENI. */
  private async undo(eni: Eni, error: unknown): Promise<void> {
    const isFinal =
      error instanceof UserError ||
      error instanceof ConflictError ||
      error instanceof CapacityError ||
      error instanceof DeniedError;
    if (isFinal) await this.options.writes.delete(eni.id, {}).catch(() => {});
  }
}
