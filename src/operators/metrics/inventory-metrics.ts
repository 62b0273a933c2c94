import { Gauge, type Registry } from 'prom-client';
import type { EniInventory } from '../../aws/inventory/eni-inventory.js';

export interface InventoryMetricsOptions {
  registry: Registry;
  inventory: Pick<EniInventory, 'list' | 'listedAt'>;
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
}
