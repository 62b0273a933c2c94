import { linkFault } from '../../api/link-faults.js';
import { sleep } from '../../runtime/clock.js';
import { ExponentialBackoff } from '../../runtime/concurrency/backoff.js';
import { type EventHandler, Publisher } from '../../runtime/controller/publisher.js';
import type { EventSource } from '../../runtime/controller/source.js';
import type { Logger } from '../../runtime/logger.js';
import { describeError } from '../../runtime/logger.js';
import { type Confirmation, DhcpClient, type DhcpClientOptions } from './dhcp-client.js';

/** DHCP confirmed the address of an attachment, or no longer does. */
export class LeaseEvent {
  constructor(readonly key: string) {}
}

/** An address to confirm, which is set on the device with that MAC address. */
export interface LeaseRequest {
  macAddress: string;
  address: string;
}

/** DHCP leases by the key of the attachment. */
export interface Leases {
  /** Confirms the address and renews its lease, from the first call on. Returns the current state. */
  hold(key: string, request: LeaseRequest): Confirmation;
  /** Stops renewing the lease, without a DHCPRELEASE: EC2 keeps the address assigned. */
  release(key: string): void;
}

export type DhcpLeasesOptions = Pick<DhcpClientOptions, 'open' | 'clock' | 'random'> & {
  logger: Logger;
};

interface Held {
  request: LeaseRequest;
  confirmation: Confirmation;
  end: AbortController;
}

/** Milliseconds before a client restarts after an unexpected error. */
const RESTART_BACKOFF = { baseMs: 1_000, maxMs: 60_000 };

/** Runs a DHCP client for each address to confirm, and emits an event when its state changes. */
export class DhcpLeases implements Leases, EventSource<LeaseEvent> {
  private readonly held = new Map<string, Held>();
  private readonly publisher: Publisher<LeaseEvent>;

  constructor(private readonly options: DhcpLeasesOptions) {
    this.publisher = new Publisher({
      logger: options.logger,
      fieldsOf: ({ key }) => ({ key }),
    });
  }

  subscribe(handler: EventHandler<LeaseEvent>): void {
    this.publisher.subscribe(handler);
  }

  /** Resolves immediately. Releases all leases when `signal` aborts. */
  async start(signal: AbortSignal): Promise<void> {
    const releaseAll = (): void => {
      for (const key of this.held.keys()) this.release(key);
    };
    signal.addEventListener('abort', releaseAll, { once: true });
  }

  hold(key: string, request: LeaseRequest): Confirmation {
    const held = this.held.get(key);
    if (held && sameRequest(held.request, request)) return held.confirmation;
    this.release(key);
    const begun: Held = { request, confirmation: { is: 'pending' }, end: new AbortController() };
    this.held.set(key, begun);
    void this.keepAsking(key, begun);
    return begun.confirmation;
  }

  release(key: string): void {
    this.held.get(key)?.end.abort();
    this.held.delete(key);
  }

  /** Resolves once the lease is released. */
  private async keepAsking(key: string, held: Held): Promise<void> {
    const { clock, logger, random } = this.options;
    const { signal } = held.end;
    const backoff = ExponentialBackoff.create({ ...RESTART_BACKOFF, jitter: 0.2, random });
    const become = (confirmation: Confirmation): void => {
      held.confirmation = confirmation;
      this.publisher.publish({ type: 'added', object: new LeaseEvent(key) });
    };
    const onChange = (confirmation: Confirmation): void => {
      if (confirmation.is === 'held') backoff.forget(key);
      become(confirmation);
    };
    while (!signal.aborted) {
      try {
        await DhcpClient.create({ ...this.options, ...held.request, onChange }).run(signal);
      } catch (error) {
        const afterMs = backoff.next(key);
        const { address } = held.request;
        logger.error('A DHCP client failed unexpectedly; this is a bug', {
          key,
          address,
          afterMs,
          error,
        });
        const fact = `The DHCP request from ${address} failed (${describeError(error)})`;
        become({ is: 'missing', fault: linkFault('AddressMissing', fact) });
        await sleep(clock, afterMs, signal).catch(() => undefined);
      }
    }
  }
}

function sameRequest(a: LeaseRequest, b: LeaseRequest): boolean {
  return a.macAddress === b.macAddress && a.address === b.address;
}
