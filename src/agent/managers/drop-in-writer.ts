import { ENIAttachment } from '../../api/eni-attachment.js';
import type { Store } from '../../runtime/cache/store.js';
import type { ReconcileContext, Result } from '../../runtime/controller/controller.js';
import { Reconciler, Watch } from '../../runtime/controller/decorators.js';
import { isMacAddress } from '../host/addresses.js';
import { HostEvent } from '../host/host-events.js';
import type { DropInFolder } from './drop-in-folder.js';

export interface DropInWriterOptions {
  /** This node's attachments. */
  attachments: Store<ENIAttachment>;
  folders: readonly DropInFolder[];
}

/** Milliseconds within which several new attachments cause one pass. */
const COALESCE_MS = 20;
const HOST = 'host';

/**
 * Configures the host's network managers, through drop-in files, to leave the devices of ENIs alone: from when the
 * MAC address is known, which is before EC2 attaches the ENI, until the attachment is deleted. At startup it
 * removes files that an earlier agent left for ENIs that no longer exist.
 */
@Reconciler({ name: 'drop-in-writer' })
export class DropInWriter {
  constructor(private readonly options: DropInWriterOptions) {}

  @Watch(ENIAttachment, { when: { updated: asksForMore }, coalesceMs: COALESCE_MS })
  hostOf(): string[] {
    return [HOST];
  }

  @Watch(HostEvent, { when: { added: (event) => event.isAboutEverything } })
  hostAt(): string[] {
    return [HOST];
  }

  /** @throws DropInError */
  async reconcile(_key: string, { logger }: ReconcileContext): Promise<Result> {
    const { attachments, folders } = this.options;
    const macAddresses = new Set(
      attachments.list().flatMap((attachment) => ownDevice(attachment) ?? []),
    );
    for (const folder of folders) {
      const { written, removed, foreign } = await folder.settle(macAddresses);
      if (written.length + removed.length > 0) {
        logger.info('Drop-in files changed', { folder: folder.path, written, removed });
      }
      if (foreign.length > 0) {
        logger.warn(
          'Drop-in files of another program have names that the agent uses; leaving them',
          { folder: folder.path, foreign },
        );
      }
    }
    return {};
  }
}

/** MAC address of the device, if the agent manages it. */
function ownDevice({ spec, status }: ENIAttachment): string | undefined {
  const macAddress = String(status?.macAddress).toLowerCase();
  return isMacAddress(macAddress) && spec.linkState !== 'unmanaged' ? macAddress : undefined;
}

function asksForMore(attachment: ENIAttachment, old: ENIAttachment): boolean {
  return ownDevice(attachment) !== ownDevice(old);
}
