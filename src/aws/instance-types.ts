import type { Clock } from '../runtime/clock.js';
import { Batcher } from './batcher.js';
import type { Ec2Gateway, InstanceTypeLimits } from './ec2-gateway.js';

/** A type's limits do not change; AWS adds types. */
const TTL_MS = 24 * 3_600_000;
const MAX_BATCH = 200;

export interface InstanceTypeCatalogOptions {
  gateway: Pick<Ec2Gateway, 'describeInstanceTypes'>;
  clock: Clock;
  /** How long a question waits for others to share its call, in milliseconds; default 20. */
  gatherMs?: number;
  /** The least time between two calls, in milliseconds; default one second. */
  minIntervalMs?: number;
}

/** What instance types can carry, asked of EC2 once a day. */
export class InstanceTypeCatalog {
  private readonly known = new Map<string, { limits: InstanceTypeLimits; expiresAt: number }>();
  private readonly batcher: Batcher<string, InstanceTypeLimits>;

  private constructor(private readonly options: InstanceTypeCatalogOptions) {
    const { clock, gatherMs = 20, minIntervalMs = 1_000 } = options;
    this.batcher = Batcher.create({
      fetch: (types) => this.read(types),
      clock,
      gatherMs,
      minIntervalMs,
      maxBatch: MAX_BATCH,
    });
  }

  static create(options: InstanceTypeCatalogOptions): InstanceTypeCatalog {
    return new InstanceTypeCatalog(options);
  }

  /**
   * The limits of an instance type; undefined where EC2 does not know the type, which is not remembered.
   * @throws Ec2Error
   */
  async limits(type: string): Promise<InstanceTypeLimits | undefined> {
    const known = this.known.get(type);
    if (known && this.options.clock.now() < known.expiresAt) return known.limits;
    return this.batcher.load(type);
  }

  private async read(types: string[]): Promise<Map<string, InstanceTypeLimits>> {
    const expiresAt = this.options.clock.now() + TTL_MS;
    const found = await this.options.gateway.describeInstanceTypes(types);
    for (const limits of found) this.known.set(limits.type, { limits, expiresAt });
    return new Map(found.map((limits) => [limits.type, limits]));
  }
}
