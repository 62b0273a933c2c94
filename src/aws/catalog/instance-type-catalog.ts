import type { Clock } from '../../runtime/clock.js';
import { Batcher } from '../../runtime/concurrency/batcher.js';
import { CachedLookup } from '../../runtime/concurrency/cached-lookup.js';
import type { Ec2Gateway, InstanceTypeLimits } from '../ec2-gateway.js';

/** A type's limits do not change; AWS adds types. */
const TTL_MS = 24 * 3_600_000;
/** Milliseconds that a lookup waits for others to share its call, and between two calls. */
const GATHER_MS = 20;
const MIN_INTERVAL_MS = 200;
/** Values that a filter takes. */
const MAX_BATCH = 200;

export interface InstanceTypeCatalogOptions {
  gateway: Pick<Ec2Gateway, 'describeInstanceTypes'>;
  clock: Clock;
}

/** How many interfaces instance types support, read from EC2 once a day. */
export class InstanceTypeCatalog {
  private readonly lookup: CachedLookup<InstanceTypeLimits>;

  private constructor({ gateway, clock }: InstanceTypeCatalogOptions) {
    const batcher = Batcher.create<string, InstanceTypeLimits>({
      clock,
      gatherMs: GATHER_MS,
      minIntervalMs: MIN_INTERVAL_MS,
      maxBatch: MAX_BATCH,
      fetch: async (types) => {
        const found = await gateway.describeInstanceTypes(types);
        return new Map(found.map((limits) => [limits.type, limits]));
      },
    });
    this.lookup = CachedLookup.create({
      clock,
      ttlMs: TTL_MS,
      fetch: async (types) => {
        const found = await Promise.all(types.map((type) => batcher.load(type)));
        return new Map(types.map((type, index) => [type, [found[index] ?? []].flat()]));
      },
    });
  }

  static create(options: InstanceTypeCatalogOptions): InstanceTypeCatalog {
    return new InstanceTypeCatalog(options);
  }

  /**
   * The limits of an instance type; undefined if EC2 does not know the type, which is not cached.
   * @throws Ec2Error
   */
  async limits(type: string): Promise<InstanceTypeLimits | undefined> {
    const [limits] = await this.lookup.get([type]);
    return limits;
  }
}
