import { ENIAttachment } from '../../api/eni-attachment.js';
import type { Store } from '../../runtime/cache/store.js';
import type { ReconcileContext, Result } from '../../runtime/controller/controller.js';
import { Reconciler, Watch } from '../../runtime/controller/decorators.js';
import { isMacAddress } from '../host/addresses.js';
import { HostEvents } from '../host/host-events.js';
import type { DropInFolder } from './drop-in-folder.js';

export interface DropInWriterOptions {
  /** This node's attachments. */
  attachments: Store<ENIAttachment>;
  folders: readonly DropInFolder[];
}

/** Attachments that come together are written of together (milliseconds). */
const COALESCE_MS = 20;
/** The host is one. */
const HOST = 'host';

/**
 * Tells the host's network managers, by files, to leave the devices of ENIs alone: as soon as a device's MAC
 * address is known, which is before EC2 attaches it, and until its attachment is gone. What an earlier agent left
 * of ENIs that are gone is removed at the start.
 */
@Reconciler({ name: 'drop-in-writer' })
export class DropInWriter {
  constructor(private readonly options: DropInWriterOptions) {}

  @Watch(ENIAttachment, { when: { updated: asksForMore }, coalesceMs: COALESCE_MS })
  hostOf(): string[] {
    return [HOST];
  }

  @Watch(HostEvents, { when: { added: (news) => news.isAboutEverything } })
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
        logger.warn('Drop-in files of others have our names', { folder: folder.path, foreign });
      }
    }
    return {};
  }
}

/** MAC address of the device that the agent alone is to manage. */
function ownDevice({ spec, status }: ENIAttachment): string | undefined {
  const macAddress = String(status?.macAddress).toLowerCase();
  return isMacAddress(macAddress) && spec.linkState !== 'unmanaged' ? macAddress : undefined;
}

function asksForMore(attachment: ENIAttachment, old: ENIAttachment): boolean {
  return ownDevice(attachment) !== ownDevice(old);
}
