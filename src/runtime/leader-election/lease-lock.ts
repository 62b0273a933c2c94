import type { KubeClient, ObjectName } from '../kube/kube-client.js';
import { isNotFound } from '../kube/kube-errors.js';
import { Lease, type LeaseSpec } from './lease.js';

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
