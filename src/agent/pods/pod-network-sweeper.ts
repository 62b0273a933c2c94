import { ENIAttachment } from '../../api/eni-attachment.js';
import type { Store } from '../../runtime/cache/store.js';
import type { ReconcileContext, Result } from '../../runtime/controller/controller.js';
import { Reconciler, Watch } from '../../runtime/controller/decorators.js';
import { HostEvent } from '../host/host-events.js';
import type { PodNetworks } from './pod-networks.js';

export interface PodNetworkSweeperOptions {
  /** This node's attachments. */
  attachments: Store<ENIAttachment>;
  podNetworks: PodNetworks;
}

/** Milliseconds within which several changes cause one pass. */
const COALESCE_MS = 20;
const HOST = 'host';

/**
 * Removes the CNI configurations of networks without an attachment on this node, so that no further pod
 * joins.
 */
@Reconciler({ name: 'pod-network-sweeper' })
export class PodNetworkSweeper {
  constructor(private readonly options: PodNetworkSweeperOptions) {}

  @Watch(ENIAttachment, { when: { updated: networkChanged }, coalesceMs: COALESCE_MS })
  hostOf(): string[] {
    return [HOST];
  }

  @Watch(HostEvent, { when: { added: (event) => event.isAboutEverything } })
  hostAt(): string[] {
    return [HOST];
  }

  async reconcile(_key: string, { logger }: ReconcileContext): Promise<Result> {
    const { attachments, podNetworks } = this.options;
    const names = new Set(attachments.list().flatMap((attachment) => networkOf(attachment) ?? []));
    const removed = await podNetworks.keepOnly(names);
    if (removed.length > 0) logger.info('CNI configurations removed', { removed });
    return {};
  }
}

function networkOf({ metadata, spec }: ENIAttachment): string | undefined {
  return metadata.deletionTimestamp === undefined ? spec.podNetwork?.name : undefined;
}

function networkChanged(attachment: ENIAttachment, old: ENIAttachment): boolean {
  return networkOf(attachment) !== networkOf(old);
}
