import type { KubeObject, ObjectMeta } from './resource.js';

/** coordination.k8s.io/v1 LeaseSpec, as far as leader election uses it. */
export interface LeaseSpec {
  /** Absent or empty: nobody holds the lease. */
  holderIdentity?: string;
  /** For how long others leave the lease alone after they last saw it change, in seconds. */
  leaseDurationSeconds?: number;
  /** MicroTime. Times are for people: each process measures on its own clock. */
  acquireTime?: string;
  renewTime?: string;
  /** How often the lease has gone from one holder to another. */
  leaseTransitions?: number;
}

/** coordination.k8s.io/v1 Lease. */
export class Lease implements KubeObject {
  static readonly resource = {
    group: 'coordination.k8s.io',
    version: 'v1',
    plural: 'leases',
    kind: 'Lease',
    namespaced: true,
  };

  metadata!: ObjectMeta;
  spec?: LeaseSpec;
}
