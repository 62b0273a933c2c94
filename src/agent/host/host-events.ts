import type { Clock, Timer } from '../../runtime/clock.js';
import { type EventHandler, Publisher } from '../../runtime/controller/publisher.js';
import type { EventSource } from '../../runtime/controller/source.js';
import type { Logger } from '../../runtime/logger.js';
import type { HostChange, HostLink, HostNetwork } from './host-network.js';

/** Something on the host has changed: on the device of that address, in that table, or (neither) anywhere. */
export class HostEvents {
  constructor(
    readonly macAddress?: string,
    readonly table?: number,
  ) {}

  get isAboutEverything(): boolean {
    return this.macAddress === undefined && this.table === undefined;
  }
}

/** Devices as the kernel's events tell of them: what is known without asking. */
export interface HeardLinks {
  /** Devices with that MAC address, the device itself and what stands upon it. */
  withMac(macAddress: string): HostLink[];
}

export interface HostEventSourceOptions {
  network: HostNetwork;
  clock: Clock;
  logger: Logger;
  /** Milliseconds between two full looks, whatever the kernel's events say. */
  resyncMs: number;
}

/** Makes the kernel's events a source that wakes reconcilers; devices are told apart by MAC address. */
export class HostEventSource implements EventSource<HostEvents>, HeardLinks {
  private readonly publisher: Publisher<HostEvents>;
  /** Events of addresses and of devices that are gone name the index alone. */
  private readonly links = new Map<number, HostLink>();

  constructor(private readonly options: HostEventSourceOptions) {
    this.publisher = new Publisher({
      logger: options.logger,
      fieldsOf: ({ macAddress, table }) => ({ macAddress, table }),
    });
  }

  subscribe(handler: EventHandler<HostEvents>): void {
    this.publisher.subscribe(handler);
  }

  /** Resolves once the devices that are there are known; then all is looked at, and again each `resyncMs`. @throws HostNetworkError */
  async start(signal: AbortSignal): Promise<void> {
    const { network } = this.options;
    network.subscribe((change) => this.handle(change));
    await this.learn();
    let next: Timer | undefined;
    const lookAtEverything = (): void => {
      this.everything();
      next = this.options.clock.after(this.options.resyncMs, lookAtEverything);
    };
    signal.addEventListener('abort', () => next?.cancel(), { once: true });
    if (!signal.aborted) lookAtEverything();
  }

  /** What is known of the devices may be old: it is learnt anew. */
  private everything(): void {
    this.publish(new HostEvents());
    this.learn().catch((error: unknown) => {
      this.options.logger.warn('Devices cannot be listed', { error });
    });
  }

  withMac(macAddress: string): HostLink[] {
    return [...this.links.values()].filter((link) => link.macAddress === macAddress);
  }

  private async learn(): Promise<void> {
    const links = await this.options.network.links();
    this.links.clear();
    for (const link of links) this.remember(link);
  }

  private handle(change: HostChange): void {
    if (change.type === 'overrun') {
      this.everything();
      return;
    }
    const news = this.newsOf(change);
    if (news) this.publish(news);
  }

  private newsOf(change: Exclude<HostChange, { type: 'overrun' }>): HostEvents | undefined {
    switch (change.type) {
      case 'link':
        this.remember(change.link);
        return new HostEvents(change.link.macAddress);
      case 'linkGone': {
        const macAddress = change.macAddress ?? this.links.get(change.index)?.macAddress;
        this.links.delete(change.index);
        return macAddress === undefined ? undefined : new HostEvents(macAddress);
      }
      case 'address':
      case 'route': {
        const macAddress = this.links.get(change.linkIndex)?.macAddress;
        // Of a device that is not known yet, it may be anybody's.
        return new HostEvents(macAddress);
      }
      case 'rule':
        return new HostEvents(undefined, change.table);
    }
  }

  private remember(link: HostLink): void {
    this.links.set(link.index, link);
  }

  private publish(object: HostEvents): void {
    this.publisher.publish({ type: 'added', object });
  }
}
