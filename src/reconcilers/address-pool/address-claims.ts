import { LRUCache } from 'lru-cache';
import type { Clock } from '../../runtime/clock.js';

/** How long not to retry an address that something else has, in milliseconds. */
const TAKEN_FOR_MS = 600_000;
/** Addresses that something else has; beyond that, the oldest are tried again. */
const MAX_TAKEN = 10_000;

export interface ClaimedAddress {
  subnetID: string;
  address: string;
}

/**
 * Addresses that no ENIAttachment shows yet: those that reconciles under way have chosen, and those that EC2 refused
 * because something else has them. It is kept in memory only. Without it, EC2 itself refuses the second ENI.
 */
export class AddressClaims {
  private readonly claimed = new Set<string>();
  /** Until when (milliseconds since the epoch) they are not tried again. */
  private readonly taken = new LRUCache<string, number>({ max: MAX_TAKEN });

  constructor(private readonly options: { clock: Clock }) {}

  /** Whether a plan should choose another address. */
  has(address: ClaimedAddress): boolean {
    const key = keyOf(address);
    return this.claimed.has(key) || (this.taken.get(key) ?? 0) > this.options.clock.now();
  }

  /** Something else has the address. */
  noteTaken(address: ClaimedAddress): void {
    this.taken.set(keyOf(address), this.options.clock.now() + TAKEN_FOR_MS);
  }

  /**
   * Claims addresses until their ENIAttachments are written.
   * @returns a function that ends the claim
   */
  claim(addresses: readonly ClaimedAddress[]): () => void {
    const keys = addresses.map(keyOf);
    for (const key of keys) this.claimed.add(key);
    return () => {
      for (const key of keys) this.claimed.delete(key);
    };
  }
}

function keyOf({ subnetID, address }: ClaimedAddress): string {
  return `${subnetID}/${address}`;
}
