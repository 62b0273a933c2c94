import { ENIAttachment } from '../../api/eni-attachment.js';
import type { Store } from '../../runtime/cache/store.js';
import type { ReconcileContext, Result } from '../../runtime/controller/controller.js';
import { Reconciler, Watch } from '../../runtime/controller/decorators.js';
import { HostEvent } from '../host/host-events.js';
import type { HostNetwork } from '../host/host-network.js';
import { type HostSnapshot, observe } from '../host/host-snapshot.js';
import { carryOut, type HostStep } from '../host/host-step.js';
import { isOwnRule, tableOf, tableOfRule } from '../host/own-ids.js';

export interface HostSweeperOptions {
  /** This node's attachments. */
  attachments: Store<ENIAttachment>;
  network: HostNetwork;
  /** First id of the agent's routing tables. */
  tableBase: number;
}

/** Milliseconds within which several removed attachments cause one sweep. */
const COALESCE_MS = 100;
const HOST = 'host';

/** Removes the agent's rules and routes that no longer belong to an attachment. */
@Reconciler({ name: 'host-sweeper' })
export class HostSweeper {
  constructor(private readonly options: HostSweeperOptions) {}

  @Watch(ENIAttachment, { when: { updated: () => false }, coalesceMs: COALESCE_MS })
  hostOf(): string[] {
    return [HOST];
  }

  @Watch(HostEvent, { when: { added: (event) => event.isAboutEverything } })
  hostAt(): string[] {
    return [HOST];
  }

  async reconcile(_key: string, { logger }: ReconcileContext): Promise<Result> {
    const { attachments, network, tableBase } = this.options;
    const snapshot = await observe(network);
    // Read after the snapshot, which can have the rules of an attachment that arrived meanwhile.
    const tables = new Set(attachments.list().map(({ spec }) => tableOf(spec, tableBase)));
    for (const step of planSweep(snapshot, tables)) {
      logger.info('Removing what an ENI left behind', { ...step });
      await carryOut(network, step);
    }
    return {};
  }
}

/**
 * The agent's rules and routes that belong to no attachment: those of ENIs removed while the agent did not run. The
 * kernel deletes the routes of a removed device, but keeps its rules.
 * @param tables routing tables of the existing attachments
 */
function planSweep(
  { routes, rules }: Pick<HostSnapshot, 'routes' | 'rules'>,
  tables: ReadonlySet<number>,
): HostStep[] {
  return [
    ...rules
      .filter((rule) => isOwnRule(rule) && !tables.has(tableOfRule(rule)))
      .map((rule) => ({ do: 'removeRule', rule }) as const),
    ...routes
      .filter(({ table }) => !tables.has(table))
      .map((route) => ({ do: 'removeRoute', route }) as const),
  ];
}
