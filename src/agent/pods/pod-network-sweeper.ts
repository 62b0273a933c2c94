import { ENIAttachment } from '../../api/eni-attachment.js';
import type { ReconcileContext, Result } from '../../runtime/controller/controller.js';
import { Reconciler, Watch } from '../../runtime/controller/decorators.js';
import { HostEvent } from '../host/host-events.js';
import type { PodNetworks } from './pod-networks.js';

/** Milliseconds within which several changes cause one pass. */
const COALESCE_MS = 20;
const HOST = 'host';

/**
 * Removes the CNI configurations of networks without an attachment on this node, so that no further pod
 * joins.
 */
@Reconciler({ name: 'pod-network-sweeper' })
export class PodNetworkSweeper {
  constructor(private readonly options: { podNetworks: PodNetworks }) {}

  @Watch(ENIAttachment, { when: { updated: networkChanged }, coalesceMs: COALESCE_MS })
  hostOf(): string[] {
    return [HOST];
  }

  @Watch(HostEvent, { when: { added: (event) => event.isAboutEverything } })
  hostAt(): string[] {
    return [HOST];
  }

  async reconcile(_key: string, { logger }: ReconcileContext): Promise<Result> {
    const removed = await this.options.podNetworks.sweep();
    if (removed.length > 0) logger.info('CNI configurations removed', { removed });
    return {};
  }
}

/** The network that an attachment provides: none while it is being deleted. */
export function networkOf({ metadata, spec }: ENIAttachment): string | undefined {
  return metadata.deletionTimestamp === undefined ? spec.podNetwork?.name : undefined;
}

function networkChanged(attachment: ENIAttachment, old: ENIAttachment): boolean {
  return networkOf(attachment) !== networkOf(old);
}
