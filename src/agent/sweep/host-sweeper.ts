import { ENIAttachment } from '../../api/eni-attachment.js';
import type { Store } from '../../runtime/cache/store.js';
import type { ReconcileContext } from '../../runtime/controller/controller.js';
import { Reconciler, Watch } from '../../runtime/controller/decorators.js';
import type { Result } from '../../runtime/controller/result.js';
import { HostNews } from '../host/host-events.js';
import type { HostNetwork } from '../host/host-network.js';
import { observe } from '../host/host-snapshot.js';
import { carryOut } from '../host/host-step.js';
import { tableOf } from '../host/own-ids.js';
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
