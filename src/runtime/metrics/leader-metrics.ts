import { Gauge, type Registry } from 'prom-client';

export interface LeaderMetricsOptions {
  registry: Registry;
  /** Name of the Lease. */
  lease: string;
  elector: { readonly isLeader: boolean };
}

/** client-go's `leader_election_master_status`; absent without leader election. */
export function registerLeaderMetrics({ registry, lease, elector }: LeaderMetricsOptions): void {
  new Gauge({
    name: 'leader_election_master_status',
    help: '1 if this process holds the Lease in the label, 0 while it is a standby. Absent without leader election.',
    labelNames: ['name'],
    registers: [registry],
    collect() {
      this.set({ name: lease }, elector.isLeader ? 1 : 0);
    },
  });
}
