import { AlreadyDoneError, ConflictError, RetryableError } from '../aws/ec2-errors.js';
import type { CreateEniRequest, Eni, EniAttachmentState } from '../aws/ec2-gateway.js';
import type { Ec2Calls } from './ec2-calls.js';
import type { AttachENIRequest, CallOptions, WaitOptions } from './requests.js';

/** The attachment that holds the ENI; one in the state `detached` holds nothing. */
export function attachmentOf(eni: Eni): EniAttachmentState | undefined {
  return eni.attachment?.status === 'detached' ? undefined : eni.attachment;
}

/** The maximum of remembered deleted ENIs. */
const MAX_REMEMBERED = 10_000;

interface Made {
  /** Milliseconds since the epoch. */
  at: number;
  tags: Readonly<Record<string, string>>;
}

type SlotOf = Required<Omit<AttachENIRequest, 'deleteOnTermination'>>;

/** Whether the ENI is in the slot, or being attached to it. */
export function holdsSlot(eni: Eni, slot: Omit<SlotOf, 'eniId'>): boolean {
  const at = attachmentOf(eni);
  return (
    at !== undefined &&
    at.status !== 'detaching' &&
    at.instanceId === slot.instanceId &&
    at.deviceIndex === slot.deviceIndex &&
    at.networkCardIndex === slot.networkCardIndex
  );
}

/** Single writes to ENIs. Each can be repeated: a state that is already reached is not an error. */
export class EniWrites {
  /** ENIs that this process created recently: EC2's reads may not show them yet. */
  private readonly made = new Map<string, Made>();
  /** ENIs that EC2 has deleted. An old ClientToken can still return them, and a stale read can show them. */
  private readonly gone = new Set<string>();

  constructor(private readonly calls: Ec2Calls) {}

  isGone(eniId: string): boolean {
    return this.gone.has(eniId);
  }

  markGone(eniId: string): void {
    this.made.delete(eniId);
    this.gone.add(eniId);
    for (const oldest of this.gone) {
      if (this.gone.size <= MAX_REMEMBERED) break;
      this.gone.delete(oldest);
    }
  }

  /** Ids of the ENIs that this process created recently with all of these tags. */
  madeWith(tags: Readonly<Record<string, string>>): string[] {
    this.forgetOld();
    return [...this.made]
      .filter(([, made]) => Object.entries(tags).every(([key, value]) => made.tags[key] === value))
      .map(([id]) => id);
  }

  /** @throws Ec2Error; the signal's reason */
  async create(request: CreateEniRequest, { signal }: CallOptions): Promise<Eni> {
    const eni = await this.calls.run(signal, (ec2) => ec2.createEni(request));
    this.forgetOld();
    this.made.set(eni.id, { at: this.calls.now(), tags: request.tags });
    return eni;
  }

  /**
   * Starts the attachment. An ENI that already holds the slot is left there.
   * @returns the attachment's id
   * @throws Ec2Error; the signal's reason
   */
  async attach(request: SlotOf, { signal }: CallOptions): Promise<string> {
    let lost = false;
    try {
      // Not retried blindly: an attach whose response was lost may have succeeded.
      const repetition = { idempotent: false, mayBeNew: true };
      const send = () => this.calls.run(signal, (ec2) => ec2.attachEni(request), repetition);
      const answer = await send().catch((error: unknown) => {
        if (!(error instanceof RetryableError)) throw error;
        lost = true;
        return send();
      });
      return answer.attachmentId;
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      const inUse = lost || error.reason === 'InterfaceInUse';
      const held = await this.heldAttachment(request, inUse, signal);
      if (held === undefined) throw error;
      return held;
    }
  }

  /** @throws Ec2Error; the signal's reason */
  async setDeleteOnTermination(
    eniId: string,
    attachmentId: string,
    value: boolean,
    { signal }: CallOptions,
  ): Promise<void> {
    await this.calls.run(signal, (ec2) => ec2.setDeleteOnTermination(eniId, attachmentId, value), {
      mayBeNew: true,
    });
  }

  /** Starts the detachment. @throws Ec2Error; the signal's reason */
  async detach(
    attachmentId: string,
    { force = false, signal }: { force?: boolean } & CallOptions,
  ): Promise<void> {
    await ignoreDone(this.calls.run(signal, (ec2) => ec2.detachEni(attachmentId, { force })));
  }

  /**
   * Deletes the ENI; it must be detached.
   * @throws Ec2Error; the signal's reason
   */
  async delete(eniId: string, { signal }: CallOptions): Promise<void> {
    this.forgetOld();
    // EC2 can report that a new ENI does not exist; only after it was seen, that report means that it is
    // deleted.
    if (this.made.has(eniId)) await this.untilSeen(eniId, { signal });
    await ignoreDone(this.calls.run(signal, (ec2) => ec2.deleteEni(eniId)));
    this.markGone(eniId);
  }

  private forgetOld(): void {
    const oldest = this.calls.now() - this.calls.consistencyWindowMs;
    for (const [id, { at }] of this.made) if (at < oldest) this.made.delete(id);
  }

  /** Waits until EC2 knows the ENI, at most for the consistency window. */
  private async untilSeen(eniId: string, { signal }: CallOptions): Promise<void> {
    const timeoutMs = this.calls.consistencyWindowMs;
    await this.calls
      .until(eniId, 'visible', (eni) => eni && true, { timeoutMs, signal })
      .catch(() => signal?.throwIfAborted());
  }

  /**
   * The attachment by which the ENI already holds the slot. EC2's reads may lag when it reports that the ENI
   * is in use.
   */
  private async heldAttachment(
    { eniId, ...slot }: SlotOf,
    inUse: boolean,
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> {
    const options: WaitOptions = { timeoutMs: inUse ? this.calls.consistencyWindowMs : 0, signal };
    const at = await this.calls
      .until(eniId, 'in use', (eni) => eni && attachmentOf(eni) && { eni }, options)
      .catch(() => signal?.throwIfAborted());
    return at && holdsSlot(at.eni, slot) ? attachmentOf(at.eni)?.attachmentId : undefined;
  }
}

async function ignoreDone(write: Promise<void>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!(error instanceof AlreadyDoneError)) throw error;
  }
}
