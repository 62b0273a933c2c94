import type { Clock } from '../../runtime/clock.js';
import { Batcher } from '../../runtime/concurrency/batcher.js';
import type { Ec2Gateway, ElasticIp, ElasticIpQuery } from '../ec2-gateway.js';

/** Milliseconds: attachments that need an address at the same time share a read. */
const GATHER_MS = 20;
/** Milliseconds between two reads, a twentieth of EC2's refill. */
const MIN_INTERVAL_MS = 1_000;
const MAX_BATCH = 100;
/** Milliseconds after which a read is no longer used. */
const MAX_AGE_MS = 60_000;

export interface ElasticIpCatalogOptions {
  gateway: Pick<Ec2Gateway, 'describeElasticIps'>;
  clock: Clock;
}

/** A read of addresses. */
export interface ElasticIpRead {
  /** All that match, free or not. */
  addresses: readonly ElasticIp[];
  /** When it began, in milliseconds. */
  readAt: number;
}

/** Elastic IP addresses, read only when an attachment needs one, and once for all attachments that then need one. */
export class ElasticIpCatalog {
  private readonly known = new Map<string, ElasticIpRead>();
  private readonly batcher: Batcher<string, ElasticIpRead>;

  private constructor(private readonly options: ElasticIpCatalogOptions) {
    this.batcher = Batcher.create({
      fetch: (keys) => this.read(keys),
      clock: options.clock,
      gatherMs: GATHER_MS,
      minIntervalMs: MIN_INTERVAL_MS,
      maxBatch: MAX_BATCH,
    });
  }

  static create(options: ElasticIpCatalogOptions): ElasticIpCatalog {
    return new ElasticIpCatalog(options);
  }

  /**
   * The addresses that match, as EC2 reported them at most `maxAgeMs` milliseconds ago (0: after this call).
   * @throws Ec2Error
   */
  async addresses(
    query: ElasticIpQuery,
    { maxAgeMs }: { maxAgeMs: number },
  ): Promise<ElasticIpRead> {
    const key = keyOf(query);
    const known = this.known.get(key);
    if (known && known.readAt > this.options.clock.now() - maxAgeMs) {
      return known;
    }
    const read = await this.batcher.load(key);
    return read ?? { addresses: [], readAt: this.options.clock.now() };
  }

  private async read(keys: string[]): Promise<ReadonlyMap<string, ElasticIpRead>> {
    const { clock, gateway } = this.options;
    const readAt = clock.now();
    const found = await Promise.all(
      keys.map(async (key) => {
        const query = JSON.parse(key) as ElasticIpQuery;
        const addresses = await gateway.describeElasticIps(query);
        return [key, { addresses, readAt }] as const;
      }),
    );
    for (const [key, { readAt: earlier }] of this.known) {
      if (earlier < readAt - MAX_AGE_MS) this.known.delete(key);
    }
    for (const [key, read] of found) this.known.set(key, read);
    return new Map(found);
  }
}

/** Equal for equal queries. */
function keyOf({ pool, tags = {} }: ElasticIpQuery): string {
  const sorted = Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify({
    ...(pool === undefined ? {} : { pool }),
    tags: Object.fromEntries(sorted),
  });
}
