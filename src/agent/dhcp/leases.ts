import type { Logger } from '../../runtime/logger.js';
import type { EventSource, SourceEvent } from '../../runtime/source.js';
import { type Confirmation, DhcpClient, type DhcpClientOptions } from './dhcp-client.js';

/** The address of a record was confirmed, or is no longer. */
export class LeaseNews {
  constructor(readonly key: string) {}
}

/** What DHCP is to confirm: an address, set on the device with that MAC address. */
export interface LeaseRequest {
  macAddress: string;
  address: string;
}

/** DHCP as the link reconciler uses it; keys are records'. */
export interface Leases {
  /** Has the address confirmed and keeps its lease, from the first call on. Returns how that stands. */
  hold(key: string, request: LeaseRequest): Confirmation;
  /** The lease is kept no longer. The server is not told: the address stays EC2's. */
  release(key: string): void;
}

export type DhcpLeasesOptions = Pick<DhcpClientOptions, 'open' | 'clock' | 'random'> & {
  logger: Logger;
};

interface Held {
  request: LeaseRequest;
  client: DhcpClient;
  end: AbortController;
}

/** A DHCP client for each address that is to be confirmed. Its news wakes the reconciler. */
export class DhcpLeases implements Leases, EventSource<LeaseNews> {
  private readonly held = new Map<string, Held>();
  private readonly handlers: ((event: SourceEvent<LeaseNews>) => void)[] = [];

  constructor(private readonly options: DhcpLeasesOptions) {}

  subscribe(handler: (event: SourceEvent<LeaseNews>) => void): void {
    this.handlers.push(handler);
  }

  /** There is nothing yet to tell of. All leases are released as `signal` aborts. */
  async start(signal: AbortSignal): Promise<void> {
    const releaseAll = (): void => {
      for (const key of this.held.keys()) this.release(key);
    };
    signal.addEventListener('abort', releaseAll, { once: true });
  }

  hold(key: string, request: LeaseRequest): Confirmation {
    const held = this.held.get(key);
    if (held && sameRequest(held.request, request)) return held.client.confirmation;
    this.release(key);
    const end = new AbortController();
    const client = DhcpClient.create({
      ...this.options,
      ...request,
      onChange: () => this.publish(new LeaseNews(key)),
    });
    this.held.set(key, { request, client, end });
    void client.run(end.signal).catch((err) => {
      this.options.logger.error('A DHCP client has ended; this is a defect', { key, err });
    });
    return client.confirmation;
  }

  release(key: string): void {
    this.held.get(key)?.end.abort();
    this.held.delete(key);
  }

  private publish(object: LeaseNews): void {
    for (const handler of this.handlers) handler({ type: 'added', object });
  }
}

function sameRequest(a: LeaseRequest, b: LeaseRequest): boolean {
  return a.macAddress === b.macAddress && a.address === b.address;
}
