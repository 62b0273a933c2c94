import type { Clock, Timer } from '../../runtime/clock.js';
import { ExponentialBackoff } from '../../runtime/concurrency/backoff.js';
import type { Logger } from '../../runtime/logger.js';
import type { NetlinkMessage } from './messages/netlink-codec.js';
import { Group } from './messages/rtnetlink.js';
import { NetlinkError } from './netlink-error.js';
import type { NetlinkSocket, OpenNetlinkSocket } from './netlink-socket.js';

export interface NetlinkEventsOptions {
  open: OpenNetlinkSocket;
  clock: Clock;
  logger: Logger;
  onMessage: (message: NetlinkMessage) => void;
  /** Events were lost; those from now on are heard. */
  onOverrun: () => void;
  /** Bytes that the kernel keeps for us. Default: 1 MiB, about 500 changes of devices. */
  receiveBufferBytes?: number | undefined;
}

const RECEIVE_BUFFER_BYTES = 1024 * 1024;
/** Delays in milliseconds between a socket's end and the next one. */
const REOPEN = { baseMs: 10, maxMs: 10_000 };
/** A socket that has lived this long, in milliseconds, starts the row of delays anew. */
const STEADY_MS = 30_000;

/**
 * The kernel's news of devices, addresses, routes and rules. A socket that has overrun (ENOBUFS) is replaced,
 * for until it is read empty the kernel drops what comes, and says so no second time.
 */
export class NetlinkEvents {
  private socket: NetlinkSocket | undefined;
  private reopening: Timer | undefined;
  private openedAt = 0;
  private readonly backoff = ExponentialBackoff.create(REOPEN);

  private constructor(private readonly options: NetlinkEventsOptions) {}

  /** Hears from now on. @throws NetlinkError */
  static create(options: NetlinkEventsOptions): NetlinkEvents {
    const events = new NetlinkEvents(options);
    events.open();
    return events;
  }

  close(): void {
    this.reopening?.cancel();
    this.socket?.close();
    this.socket = undefined;
  }

  private open(): void {
    const { open, clock, onMessage, receiveBufferBytes = RECEIVE_BUFFER_BYTES } = this.options;
    this.openedAt = clock.now();
    const socket = open({
      groups: Object.values(Group),
      receiveBufferBytes,
      onMessages: (messages) => messages.forEach(onMessage),
      onFailure: (error) => {
        if (this.socket === socket) this.replace(error);
      },
    });
    this.socket = socket;
  }

  private replace(error: NetlinkError): void {
    const { clock, logger, onOverrun } = this.options;
    this.close();
    if (clock.now() - this.openedAt > STEADY_MS) this.backoff.forget('socket');
    const delayMs = this.backoff.next('socket');
    logger.warn('The kernel could not tell of all changes; looking at everything', {
      error,
      delayMs,
    });
    this.reopening = clock.after(delayMs, () => {
      try {
        this.open();
      } catch (error) {
        this.replace(NetlinkError.of(error));
        return;
      }
      onOverrun();
    });
  }
}
