import { Gauge, type Registry } from 'prom-client';
import type { EniInventory } from '../../aws/inventory/eni-inventory.js';
import { TRANSITIONS } from '../../aws/inventory/transition-times.js';

export interface InventoryMetricsOptions {
  registry: Registry;
  inventory: Pick<EniInventory, 'list' | 'listedAt' | 'expectedMs'>;
}

/** `eni_inventory_…`: the inventory's state. A standby has not listed anything. */
export function registerInventoryMetrics({ registry, inventory }: InventoryMetricsOptions): void {
  const registers = [registry];
  new Gauge({
    name: 'eni_inventory_interfaces',
    help: 'ENIs of this cluster that the controller knows in EC2.',
    registers,
    collect() {
      this.set(inventory.list().length);
    },
  });
  new Gauge({
    name: 'eni_inventory_listed_timestamp_seconds',
    help: 'Start of the newest complete listing of ENIs, in seconds since the epoch; 0 before the first one.',
    registers,
    collect() {
      this.set(inventory.listedAt / 1_000);
    },
  });
  new Gauge({
    name: 'eni_inventory_transition_seconds',
    help: 'How long EC2 takes to attach or detach an ENI after its response to the call: an exponentially weighted mean, from which the controller derives when to read the ENI. 0 before the first one.',
    labelNames: ['transition'] as const,
    registers,
    collect() {
      for (const transition of TRANSITIONS) {
        this.set({ transition }, (inventory.expectedMs(transition) ?? 0) / 1_000);
      }
    },
  });
}
