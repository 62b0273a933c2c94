import type { HostView } from '../host/host-snapshot.js';
import type { HostStep } from '../host/host-step.js';
import { isOwnRule } from '../link/plan-link.js';

/**
 * Takes away the rules and routes of ours that no record stands for any more: those of ENIs that went while
 * nobody watched. The kernel drops the routes of a device that is gone, the rules it keeps.
 * @param tables routing tables of the records that there are
 */
export function planSweep(
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
