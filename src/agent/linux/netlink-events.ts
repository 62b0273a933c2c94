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
  /** Events were lost; later ones arrive again. */
  onOverrun: () => void;
  /** Size of the kernel's receive buffer, in bytes. Default: 1 MiB, about 500 changes of devices. */
  receiveBufferBytes?: number | undefined;
}

const RECEIVE_BUFFER_BYTES = 1024 * 1024;
/** Milliseconds between the failure of a socket and the next one. */
const REOPEN = { baseMs: 10, maxMs: 10_000 };
/** A socket that lasts this many milliseconds resets the delays. */
const STEADY_MS = 30_000;

/**
 * The kernel's events about devices, addresses, routes and rules. Replaces a socket that has overrun (ENOBUFS):
 * until it is drained, the kernel drops further events without another error.
 */
export class NetlinkEvents {
  private socket: NetlinkSocket | undefined;
  private reopening: Timer | undefined;
  private openedAt = 0;
  private readonly backoff = ExponentialBackoff.create(REOPEN);

  private constructor(private readonly options: NetlinkEventsOptions) {}

  /** Starts listening. @throws NetlinkError */
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
    logger.warn('Events of the kernel were lost; resyncing', {
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
