import type { Faults } from '../faults.js';
import type { Timers } from '../timers.js';
import { removeInterface } from './interfaces.js';
import type { Attachment, EnaExpress, Eni, Instance } from './model.js';
import type { Region } from './region.js';

/** Where an ENI is attached. */
export interface Slot {
  instanceId: string;
  deviceIndex: number;
  networkCardIndex: number;
}

/**
 * What EC2 does by itself, some time after it has accepted a call: attach, detach, terminate. It checks
 * nothing: that is the actions' part.
 */
export class Transitions {
  constructor(
    private readonly region: Region,
    private readonly timers: Timers,
    private readonly faults: Faults,
  ) {}

  /** @returns the attachment, which may still be `attaching`. */
  attach(eni: Eni, slot: Slot, enaExpress?: EnaExpress): Attachment {
    const attachment: Attachment = {
      ...slot,
      id: this.region.newId('eni-attach'),
      status: 'attaching',
      deleteOnTermination: false,
      attachTime: this.region.clock.now(),
      ...(enaExpress ? { enaExpress } : {}),
    };
    this.region.enis.put({ ...eni, attachment });
    if (!this.faults.takeStall('attach', { instanceId: slot.instanceId, eniIds: [eni.id] })) {
      this.timers.after(this.region.settings.transition.attach, () => {
        this.settle(attachment.id, 'attaching', (current) => {
          this.region.enis.put({
            ...current,
            attachment: { ...attachmentOf(current), status: 'attached' },
          });
        });
      });
    }
    return attachment;
  }

  /** `force` also ends a detachment that has stalled. */
  detach(eni: Eni & { attachment: Attachment }, options: { force: boolean }): void {
    this.release(eni, options, (current) => {
      this.region.enis.put(withoutAttachment(current));
    });
  }

  /** Ends the instance; its ENIs are deleted or detached, as their attachments say. */
  terminate(instance: Instance): void {
    const { instances, enis, settings } = this.region;
    if (instance.state === 'shutting-down' || instance.state === 'terminated') {
      return;
    }
    instances.set(instance.id, { ...instance, state: 'shutting-down' });
    for (const eni of enis.on(instance.id)) {
      if (isAttached(eni)) {
        this.release(eni, { force: true }, (current) => {
          if (attachmentOf(current).deleteOnTermination) {
            removeInterface(this.region, current);
          } else {
            enis.put(withoutAttachment(current));
          }
        });
      }
    }
    this.timers.after(settings.transition.detach, () => {
      const current = instances.get(instance.id);
      if (current) {
        instances.set(instance.id, { ...current, state: 'terminated' });
      }
    });
  }

  private release(
    eni: Eni & { attachment: Attachment },
    { force }: { force: boolean },
    end: (eni: Eni) => void,
  ): void {
    const { id, instanceId } = eni.attachment;
    const again = eni.attachment.status === 'detaching';
    this.region.enis.put({ ...eni, attachment: { ...eni.attachment, status: 'detaching' } });
    if (force || (!again && !this.faults.takeStall('detach', { instanceId, eniIds: [eni.id] }))) {
      this.timers.after(this.region.settings.transition.detach, () => {
        this.settle(id, 'detaching', end);
      });
    }
  }

  /** Does `end` where the attachment is still there and still on its way. */
  private settle(
    attachmentId: string,
    status: Attachment['status'],
    end: (eni: Eni) => void,
  ): void {
    const eni = this.region.enis.byAttachment(attachmentId);
    if (eni?.attachment?.status === status) {
      end(eni);
    }
  }
}

export function isAttached(eni: Eni): eni is Eni & { attachment: Attachment } {
  return eni.attachment !== undefined;
}

function attachmentOf(eni: Eni): Attachment {
  if (!eni.attachment) {
    throw new Error(`${eni.id} has no attachment`);
  }
  return eni.attachment;
}

function withoutAttachment({ attachment: _, ...eni }: Eni): Eni {
  return eni;
}
