import { type Clock, sleep } from '../../../../src/runtime/clock.js';
import type {
  KubeClient,
  NewObject,
  ObjectName,
  Patch,
  RequestOptions,
} from '../../../../src/runtime/kube/kube-client.js';
import { KubeApiError } from '../../../../src/runtime/kube/kube-errors.js';
import type { KubeObject, ResourceType } from '../../../../src/runtime/kube/resource.js';
import type { Lease } from '../../../../src/runtime/leader-election/lease.js';

/** One Lease on an API server, with what optimistic locking needs. */
export class InMemoryLeases {
  lease: Lease | undefined;
  /** Writes that took effect. */
  writes = 0;
  private version = 0;

  get holder(): string | undefined {
    return this.lease?.spec?.holderIdentity;
  }

  /** Has the Lease as it was, versions included. */
  restore(lease: Lease): void {
    this.lease = structuredClone(lease);
    this.version = Number(lease.metadata.resourceVersion);
  }

  read(): Lease {
    if (!this.lease) throw refusal(404, 'NotFound');
    return structuredClone(this.lease);
  }

  create({ metadata, spec }: Pick<Lease, 'spec'> & { metadata: object }): Lease {
    if (this.lease) throw refusal(409, 'AlreadyExists');
    const uid = `uid-${this.version}`;
    return this.store({ metadata: { name: 'l', ...metadata, uid, resourceVersion: '' }, spec });
  }

  patch(body: { metadata?: { uid?: string; resourceVersion?: string }; spec?: object }): Lease {
    const { metadata, spec } = this.read();
    for (const guard of ['uid', 'resourceVersion'] as const) {
      const expected = body.metadata?.[guard];
      if (expected !== undefined && expected !== metadata[guard]) throw refusal(409, 'Conflict');
    }
    const merged = Object.entries({ ...spec, ...body.spec }).filter(([, value]) => value !== null);
    return this.store({ metadata, spec: Object.fromEntries(merged) });
  }

  private store(lease: { metadata: Lease['metadata']; spec: Lease['spec'] }): Lease {
    this.version += 1;
    this.writes += 1;
    this.lease = {
      metadata: { ...lease.metadata, resourceVersion: String(this.version) },
      ...(lease.spec === undefined ? {} : { spec: structuredClone(lease.spec) }),
    };
    return this.read();
  }
}

/** What becomes of one request; times are in milliseconds. */
export interface Weather {
  /** The request never arrives. */
  lost?: boolean;
  /** Until the server does what it is asked. */
  thereMs?: number;
  /** Until its answer is back. */
  backMs?: number;
}

/** One process's way to the Lease: it can be slow, and lose requests. */
export class LeaseClient implements KubeClient {
  /** Requests that set out. */
  requests = 0;
  /** How the next request fares; asked again for each. */
  weather: () => Weather = () => ({});

  /**
   * @param network the time by which requests arrive, whatever becomes of who sent them.
   * @param process the time by which answers are read; default: the same.
   */
  constructor(
    private readonly server: InMemoryLeases,
    private readonly network: Clock,
    private readonly process: Clock = network,
  ) {}

  get<T extends KubeObject>(_: ResourceType, __: ObjectName, options?: RequestOptions): Promise<T> {
    return this.send(() => this.server.read(), options) as Promise<KubeObject> as Promise<T>;
  }

  create<T extends KubeObject>(
    _: ResourceType,
    object: NewObject<T>,
    options?: RequestOptions,
  ): Promise<T> {
    const lease = object as Parameters<InMemoryLeases['create']>[0];
    return this.send(() => this.server.create(lease), options) as Promise<KubeObject> as Promise<T>;
  }

  patch<T extends KubeObject>(
    _: ResourceType,
    __: ObjectName,
    { body }: Patch,
    options?: RequestOptions,
  ): Promise<T> {
    const change = body as Parameters<InMemoryLeases['patch']>[0];
    return this.send(() => this.server.patch(change), options) as Promise<KubeObject> as Promise<T>;
  }

  list(): never {
    throw new Error('Leases are not listed');
  }

  watch(): never {
    throw new Error('Leases are not watched');
  }

  delete(): never {
    throw new Error('Leases are not deleted');
  }

  private async send(act: () => Lease, { signal }: RequestOptions = {}): Promise<Lease> {
    this.requests += 1;
    const { lost = false, thereMs = 0, backMs = 0 } = this.weather();
    // What is on its way arrives, though nothing waits for the answer any more.
    const arrival = lost ? never() : this.answer(act, thereMs, backMs);
    const answer = await Promise.race([arrival, aborted(signal)]);
    if ('error' in answer) throw answer.error;
    return answer.lease;
  }

  private async answer(act: () => Lease, thereMs: number, backMs: number): Promise<Answer> {
    if (thereMs > 0) await sleep(this.network, thereMs);
    const answer = settled(act);
    if (backMs > 0) await sleep(this.process, backMs);
    return answer;
  }
}

type Answer = { lease: Lease } | { error: unknown };

function never(): Promise<never> {
  return new Promise(() => undefined);
}

function settled(act: () => Lease): Answer {
  try {
    return { lease: act() };
  } catch (error) {
    return { error };
  }
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    if (signal?.aborted) reject(signal.reason);
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function refusal(status: number, reason: string): KubeApiError {
  return new KubeApiError({ status, reason, message: reason });
}
