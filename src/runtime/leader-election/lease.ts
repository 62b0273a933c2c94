import { microTime } from '../kube/conditions.js';
import type { KubeClient, ObjectName } from '../kube/kube-client.js';
import { isNotFound } from '../kube/kube-errors.js';
import type { KubeObject, ObjectMeta } from '../kube/resource.js';

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

/** Who is to hold a lease, from when (milliseconds since the epoch), and for how long (milliseconds). */
export interface Holding {
  identity: string;
  now: number;
  durationMs: number;
}

/** The spec of a lease that is acquired or renewed; `before` is undefined where there was no lease. */
export function heldSpec(
  { identity, now, durationMs }: Holding,
  before: LeaseSpec | undefined,
): LeaseSpec {
  const time = microTime(now);
  const isRenewal = before?.holderIdentity === identity;
  const isTransition = before !== undefined && !isRenewal;
  return {
    holderIdentity: identity,
    // Rounded up: others may wait longer than need be, never shorter.
    leaseDurationSeconds: Math.ceil(durationMs / 1_000),
    acquireTime: (isRenewal ? before.acquireTime : undefined) ?? time,
    renewTime: time,
    leaseTransitions: (before?.leaseTransitions ?? 0) + (isTransition ? 1 : 0),
  };
}

/** The merge patch that frees a lease, as client-go leaves it. */
export function freeingPatch(now: number): object {
  const time = microTime(now);
  return { holderIdentity: null, leaseDurationSeconds: 1, acquireTime: time, renewTime: time };
}

/**
 * One Lease, read and written so that of two writers who read the same state one fails (409). It throws what
 * {@link KubeClient} throws.
 */
export class LeaseLock {
  constructor(
    private readonly client: KubeClient,
    private readonly name: ObjectName,
  ) {}

  /** Undefined where there is none. */
  async read(signal: AbortSignal): Promise<Lease | undefined> {
    try {
      return await this.client.get<Lease>(Lease.resource, this.name, { signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  create(spec: LeaseSpec, signal: AbortSignal): Promise<Lease> {
    return this.client.create<Lease>(Lease.resource, { metadata: this.name, spec }, { signal });
  }

  /** Changes the lease, if it is still as `read` says. */
  write(read: Lease, spec: object, signal: AbortSignal): Promise<Lease> {
    const { uid, resourceVersion } = read.metadata;
    const body = { metadata: { uid, resourceVersion }, spec };
    return this.client.patch<Lease>(Lease.resource, this.name, { type: 'merge', body }, { signal });
  }
}
