import { microTime } from '../kube/conditions.js';
import type { KubeClient, ObjectName } from '../kube/kube-client.js';
import { isNotFound } from '../kube/kube-errors.js';
import type { KubeObject, ObjectMeta } from '../kube/resource.js';

/** coordination.k8s.io/v1 LeaseSpec, the fields that leader election uses. */
export interface LeaseSpec {
  /** Absent or empty: the lease has no holder. */
  holderIdentity?: string;
  /** Other candidates wait this long after the last change that they observed, in seconds. */
  leaseDurationSeconds?: number;
  /** MicroTime. Times are for people: each process measures with its own clock. */
  acquireTime?: string;
  renewTime?: string;
  /** How often the holder has changed. */
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

/** A lease's holder, its start (milliseconds since the epoch) and duration (milliseconds). */
export interface Holding {
  identity: string;
  now: number;
  durationMs: number;
}

/** The spec of a lease that is acquired or renewed; `before` is undefined if there was no lease. */
export function heldSpec(
  { identity, now, durationMs }: Holding,
  before: LeaseSpec | undefined,
): LeaseSpec {
  const time = microTime(now);
  const isRenewal = before?.holderIdentity === identity;
  const isTransition = before !== undefined && !isRenewal;
  return {
    holderIdentity: identity,
    // Rounded up: others may wait longer than necessary, never shorter.
    leaseDurationSeconds: Math.ceil(durationMs / 1_000),
    acquireTime: (isRenewal ? before.acquireTime : undefined) ?? time,
    renewTime: time,
    leaseTransitions: (before?.leaseTransitions ?? 0) + (isTransition ? 1 : 0),
  };
}

/** The merge patch that releases a lease, as client-go does. */
export function freeingPatch(now: number): object {
  const time = microTime(now);
  return { holderIdentity: null, leaseDurationSeconds: 1, acquireTime: time, renewTime: time };
}

/**
 * Reads and writes one Lease; if two writers read the same state, one fails (409). Throws the errors of
 * {@link KubeClient}.
 */
export class LeaseLock {
  constructor(
    private readonly client: KubeClient,
    private readonly name: ObjectName,
  ) {}

  /** Undefined if there is none. */
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

  /** Writes the lease if it has not changed since `read`. */
  write(read: Lease, spec: object, signal: AbortSignal): Promise<Lease> {
    const { uid, resourceVersion } = read.metadata;
    const body = { metadata: { uid, resourceVersion }, spec };
    return this.client.patch<Lease>(Lease.resource, this.name, { type: 'merge', body }, { signal });
  }
}
