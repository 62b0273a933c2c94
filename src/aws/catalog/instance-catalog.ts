import type { Clock } from '../../runtime/clock.js';
import { Batcher } from '../../runtime/concurrency/batcher.js';
import type { Ec2Gateway, Instance } from '../ec2-gateway.js';

/** An instance that was not read for this long is forgotten, in milliseconds. */
const FORGET_AFTER_MS = 3_600_000;
const MAX_BATCH = 1_000;

export interface InstanceCatalogOptions {
  gateway: Pick<Ec2Gateway, 'describeInstances'>;
  clock: Clock;
  /** How long a lookup waits for others to share its call, in milliseconds; default 20. */
  gatherMs?: number;
  /** The minimum time between two calls, in milliseconds; default 200: a quarter of EC2's refill. */
  minIntervalMs?: number;
}

interface Known {
  instance: Instance;
  /** When the read began, in milliseconds. */
  readAt: number;
}

/** A read that EC2 has not answered yet. */
interface Reading {
  answer: Promise<Map<string, Instance>>;
  /** When it began, in milliseconds. */
  readAt: number;
}

/** Instances, read with many ids per call and cached for callers that accept an older answer. */
export class InstanceCatalog {
  private readonly known = new Map<string, Known>();
  /** Reads begun up to this time (milliseconds) are too old. */
  private readonly invalidatedAt = new Map<string, number>();
  /** By instance id, the newest only. */
  private readonly underWay = new Map<string, Reading>();
  private readonly batcher: Batcher<string, Instance>;

  private constructor(private readonly options: Required<InstanceCatalogOptions>) {
    const { clock, gatherMs, minIntervalMs } = options;
    this.batcher = Batcher.create({
      fetch: (ids) => this.read(ids),
      clock,
      gatherMs,
      minIntervalMs,
      maxBatch: MAX_BATCH,
    });
  }

  static create(options: InstanceCatalogOptions): InstanceCatalog {
    return new InstanceCatalog({ gatherMs: 20, minIntervalMs: 200, ...options });
  }

  /**
   * The instance as EC2 reported it at most `maxAgeMs` milliseconds ago (0: after this call). Undefined if EC2 does
   * not know it, which is never cached.
   * @throws Ec2Error
   */
  async instance(id: string, options: { maxAgeMs: number }): Promise<Instance | undefined> {
    const oldest = this.options.clock.now() - options.maxAgeMs;
    const known = this.known.get(id);
    if (known && known.readAt > oldest) return known.instance;
    const reading = this.underWay.get(id);
    if (reading && reading.readAt > oldest) return (await reading.answer).get(id);
    return this.batcher.load(id);
  }

  /** Forgets the instance, after a call that changes it. */
  invalidate(id: string): void {
    this.known.delete(id);
    this.underWay.delete(id);
    this.invalidatedAt.set(id, this.options.clock.now());
  }

  private async read(ids: string[]): Promise<Map<string, Instance>> {
    const readAt = this.options.clock.now();
    const reading = { readAt, answer: this.ask(ids, readAt) };
    for (const id of ids) this.underWay.set(id, reading);
    try {
      return await reading.answer;
    } finally {
      for (const id of ids) if (this.underWay.get(id) === reading) this.underWay.delete(id);
    }
  }

  private async ask(ids: string[], readAt: number): Promise<Map<string, Instance>> {
    const instances = await this.options.gateway.describeInstances(ids);
    const found = new Map(instances.map((instance) => [instance.id, instance]));
    for (const id of ids) this.remember(id, found.get(id), readAt);
    this.forgetOld(readAt - FORGET_AFTER_MS);
    return found;
  }

  private remember(id: string, instance: Instance | undefined, readAt: number): void {
    const newest = this.known.get(id)?.readAt ?? this.invalidatedAt.get(id);
    if (newest !== undefined && readAt <= newest) return;
    this.invalidatedAt.delete(id);
    if (instance) this.known.set(id, { instance, readAt });
    else this.known.delete(id);
  }

  private forgetOld(before: number): void {
    for (const [id, { readAt }] of this.known) if (readAt < before) this.known.delete(id);
    for (const [id, at] of this.invalidatedAt) if (at < before) this.invalidatedAt.delete(id);
  }
}
