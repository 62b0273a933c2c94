import type { Clock, Timer } from '../../runtime/clock.js';
import { type EventHandler, Publisher } from '../../runtime/controller/publisher.js';
import type { EventSource } from '../../runtime/controller/source.js';
import type { Logger } from '../../runtime/logger.js';
import type { HostChange, HostLink, HostNetwork } from './host-network.js';

/** A change on the host: on the device with that MAC address, in that routing table, or (neither) anywhere. */
export class HostEvent {
  constructor(
    readonly macAddress?: string,
    readonly table?: number,
  ) {}

  get isAboutEverything(): boolean {
    return this.macAddress === undefined && this.table === undefined;
  }
}

/** Devices known from the kernel's events, without a request. */
export interface KnownLinks {
  /** All devices with that MAC address: the ENI's, and those on top of it. */
  withMac(macAddress: string): HostLink[];
}

export interface HostEventSourceOptions {
  network: HostNetwork;
  clock: Clock;
  logger: Logger;
  /** Milliseconds between full resyncs, in addition to the kernel's events. */
  resyncMs: number;
}

/** Turns the kernel's events into a source for reconcilers, and maps device indexes to MAC addresses. */
export class HostEventSource implements EventSource<HostEvent>, KnownLinks {
  private readonly publisher: Publisher<HostEvent>;
  /** By index: events about addresses and removed devices carry nothing else. */
  private readonly links = new Map<number, HostLink>();

  constructor(private readonly options: HostEventSourceOptions) {
    this.publisher = new Publisher({
      logger: options.logger,
      fieldsOf: ({ macAddress, table }) => ({ macAddress, table }),
    });
  }

  subscribe(handler: EventHandler<HostEvent>): void {
    this.publisher.subscribe(handler);
  }

  /** Resolves once the present devices are known, after an event about everything; repeats it every `resyncMs`. @throws HostNetworkError */
  async start(signal: AbortSignal): Promise<void> {
    const { network } = this.options;
    network.subscribe((change) => this.handle(change));
    await this.listDevices();
    let next: Timer | undefined;
    const resync = (): void => {
      this.refresh();
      next = this.options.clock.after(this.options.resyncMs, resync);
    };
    signal.addEventListener('abort', () => next?.cancel(), { once: true });
    if (!signal.aborted) resync();
  }

  /** Lists the devices again, because the known ones may be out of date. */
  private refresh(): void {
    this.publish(new HostEvent());
    this.listDevices().catch((error: unknown) => {
      this.options.logger.warn('Listing the devices failed', { error });
    });
  }

  withMac(macAddress: string): HostLink[] {
    return [...this.links.values()].filter((link) => link.macAddress === macAddress);
  }

  private async listDevices(): Promise<void> {
    const links = await this.options.network.links();
    this.links.clear();
    for (const link of links) this.remember(link);
  }

  private handle(change: HostChange): void {
    if (change.type === 'overrun') {
      this.refresh();
      return;
    }
    const event = this.eventOf(change);
    if (event) this.publish(event);
  }

  private eventOf(change: Exclude<HostChange, { type: 'overrun' }>): HostEvent | undefined {
    switch (change.type) {
      case 'link':
        this.remember(change.link);
        return new HostEvent(change.link.macAddress);
      case 'linkGone': {
        const macAddress = change.macAddress ?? this.links.get(change.index)?.macAddress;
        this.links.delete(change.index);
        return macAddress === undefined ? undefined : new HostEvent(macAddress);
      }
      case 'address':
      case 'route': {
        const macAddress = this.links.get(change.linkIndex)?.macAddress;
        // Without a MAC address, the event concerns everything.
        return new HostEvent(macAddress);
      }
      case 'rule':
        return new HostEvent(undefined, change.table);
    }
  }

  private remember(link: HostLink): void {
    this.links.set(link.index, link);
  }

  private publish(object: HostEvent): void {
    this.publisher.publish({ type: 'added', object });
  }
}
