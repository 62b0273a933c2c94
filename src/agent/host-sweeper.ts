import { ENIAttachment } from '../api/eni-attachment.js';
import type { ReconcileContext } from '../runtime/controller.js';
import { Reconciler, Watch } from '../runtime/decorators.js';
import type { Result } from '../runtime/result.js';
import type { Store } from '../runtime/store.js';
import { carryOut } from './host-change.js';
import type { HostNetwork } from './host-network.js';
import { HostNews } from './host-news.js';
import { observe } from './host-view.js';
import { tableOf } from './own-ids.js';
import { planSweep } from './plan-sweep.js';

export interface HostSweeperOptions {
  /** This node's records. */
  records: Store<ENIAttachment>;
  network: HostNetwork;
  /** First id of our routing tables. */
  tableBase: number;
}

/** Records that go together are swept after together (milliseconds). */
const COALESCE_MS = 100;
/** The host is one. */
const HOST = 'host';

/** Removes the rules and routes of ours that are left of ENIs whose record is gone. */
@Reconciler({ name: 'host-sweeper' })
export class HostSweeper {
  constructor(private readonly options: HostSweeperOptions) {}

  @Watch(ENIAttachment, { when: { updated: () => false }, coalesceMs: COALESCE_MS })
  hostOf(): string[] {
    return [HOST];
  }

  @Watch(HostNews, { when: { added: (news) => news.isAboutEverything } })
  hostAt(): string[] {
    return [HOST];
  }

  async reconcile(_key: string, { logger }: ReconcileContext): Promise<Result> {
    const { records, network, tableBase } = this.options;
    const tables = new Set(records.list().map(({ spec }) => tableOf(spec, tableBase)));
    for (const step of planSweep(await observe(network), tables)) {
      logger.info('Removing what an ENI left behind', { ...step });
      await carryOut(network, step);
    }
    return {};
  }
}
