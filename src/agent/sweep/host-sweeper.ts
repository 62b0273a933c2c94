import { ENIAttachment } from '../../api/eni-attachment.js';
import type { Store } from '../../runtime/cache/store.js';
import type { ReconcileContext, Result } from '../../runtime/controller/controller.js';
import { Reconciler, Watch } from '../../runtime/controller/decorators.js';
import { HostEvents } from '../host/host-events.js';
import type { HostNetwork } from '../host/host-network.js';
import { type HostView, observe } from '../host/host-snapshot.js';
import { carryOut, type HostStep } from '../host/host-step.js';
import { isOwnRule, tableOf } from '../host/own-ids.js';

export interface HostSweeperOptions {
  /** This node's attachments. */
  attachments: Store<ENIAttachment>;
  network: HostNetwork;
  /** First id of our routing tables. */
  tableBase: number;
}

/** Attachments that go together are swept after together (milliseconds). */
const COALESCE_MS = 100;
/** The host is one. */
const HOST = 'host';

/** Removes the rules and routes of ours that are left of ENIs whose attachment is gone. */
@Reconciler({ name: 'host-sweeper' })
export class HostSweeper {
  constructor(private readonly options: HostSweeperOptions) {}

  @Watch(ENIAttachment, { when: { updated: () => false }, coalesceMs: COALESCE_MS })
  hostOf(): string[] {
    return [HOST];
  }

  @Watch(HostEvents, { when: { added: (news) => news.isAboutEverything } })
  hostAt(): string[] {
    return [HOST];
  }

  async reconcile(_key: string, { logger }: ReconcileContext): Promise<Result> {
    const { attachments, network, tableBase } = this.options;
    const tables = new Set(attachments.list().map(({ spec }) => tableOf(spec, tableBase)));
    for (const step of planSweep(await observe(network), tables)) {
      logger.info('Removing what an ENI left behind', { ...step });
      await carryOut(network, step);
    }
    return {};
  }
}

/**
 * Takes away the rules and routes of ours that no attachment stands for any more: those of ENIs that went while
 * nobody watched. The kernel drops the routes of a device that is gone, the rules it keeps.
 * @param tables routing tables of the attachments that there are
 */
function planSweep(
  { routes, rules }: Pick<HostView, 'routes' | 'rules'>,
  tables: ReadonlySet<number>,
): HostStep[] {
  return [
    ...rules
      .filter((rule) => isOwnRule(rule) && !tables.has(rule.table))
      .map((rule) => ({ do: 'removeRule', rule }) as const),
    ...routes
      .filter(({ table }) => !tables.has(table))
      .map((route) => ({ do: 'removeRoute', route }) as const),
  ];
}
