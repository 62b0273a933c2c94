import type { Clock } from '../../runtime/clock.js';

/**
 * Milliseconds from the removal of an address from the CNI configuration until it counts as withdrawn: a call
 * of a plugin that had read the configuration before has its address by then. Calls take up to a few seconds.
 */
const SETTLE_MS = 10_000;

/** Since when each network's configuration is without which addresses and prefixes. */
export class Withdrawals {
  /** By network and address; milliseconds since the epoch. */
  private readonly since = new Map<string, Map<string, number>>();

  constructor(private readonly clock: Clock) {}

  /** What the configuration is without. */
  of(network: string): string[] {
    return [...(this.since.get(network)?.keys() ?? [])];
  }

  /** Records that the configuration is without these, and has all others. */
  set(network: string, addresses: readonly string[]): void {
    const earlier = this.since.get(network);
    const now = this.clock.now();
    this.since.set(network, new Map(addresses.map((each) => [each, earlier?.get(each) ?? now])));
  }

  /** Those that no further pod gets. */
  settled(network: string): string[] {
    const before = this.clock.now() - SETTLE_MS;
    const entries = [...(this.since.get(network) ?? [])];
    return entries.filter(([, at]) => at <= before).map(([each]) => each);
  }

  /** Milliseconds until another one is settled; `undefined`: all are. */
  settlesIn(network: string): number | undefined {
    const now = this.clock.now();
    const left = [...(this.since.get(network)?.values() ?? [])]
      .map((at) => at + SETTLE_MS - now)
      .filter((ms) => ms > 0);
    return left.length > 0 ? Math.min(...left) : undefined;
  }
}
