import type { Clock, Timer } from '../../runtime/clock.js';
import { formatMessage, type NetlinkMessage, parseErrno } from './messages/netlink-codec.js';
import { Flag, MessageType } from './messages/rtnetlink.js';
import { NetlinkError } from './netlink-error.js';
import type { NetlinkSocket, OpenNetlinkSocket } from './netlink-socket.js';

export interface NetlinkRequestsOptions {
  open: OpenNetlinkSocket;
  clock: Clock;
}

interface Request {
  type: number;
  flags: number;
  body: Uint8Array[];
}

/** What has come of the request under way. */
interface Exchange {
  sequence: number;
  isDump: boolean;
  parts: NetlinkMessage[];
  interrupted: boolean;
  timer: Timer;
  resolve: (parts: NetlinkMessage[] | 'interrupted') => void;
  reject: (error: NetlinkError) => void;
}

/** The kernel answers within the send; only a defect, the kernel's or ours, is this late. */
const TIMEOUT_MS = 10_000;
/** Times that a dump is begun anew if what it lists changes meanwhile. */
const MAX_DUMPS = 10;
/** Holds a datagram of each size that the kernel makes, many times over. */
const RECEIVE_BUFFER_BYTES = 256 * 1024;

/** Requests to rtnetlink, one at a time: a socket has one dump at most, and the kernel one lock for the changes. */
export class NetlinkRequests {
  private socket: NetlinkSocket | undefined;
  private current: Exchange | undefined;
  private last: Promise<unknown> = Promise.resolve();
  private sequence = 0;
  private closed = false;

  private constructor(private readonly options: NetlinkRequestsOptions) {}

  static create(options: NetlinkRequestsOptions): NetlinkRequests {
    return new NetlinkRequests(options);
  }

  /** Resolves once the kernel has done it. @throws NetlinkError */
  async change(type: number, body: Uint8Array[], flags = 0): Promise<void> {
    await this.inTurn({ type, flags: flags | Flag.ack, body });
  }

  /** One answer. @throws NetlinkError */
  async get(type: number, body: Uint8Array[]): Promise<NetlinkMessage> {
    const [answer] = await this.inTurn({ type, flags: 0, body });
    if (!answer) throw new NetlinkError('ENODATA');
    return answer;
  }

  /** All there is of something, as it was at one moment. @throws NetlinkError; EINTR where it never stood still */
  async dump(type: number, body: Uint8Array[]): Promise<NetlinkMessage[]> {
    return this.inTurn({ type, flags: Flag.dump, body });
  }

  /** What is under way or comes later is rejected with ECANCELED. */
  close(): void {
    this.closed = true;
    this.fail(new NetlinkError('ECANCELED'));
  }

  private inTurn(request: Request): Promise<NetlinkMessage[]> {
    const answer = this.last.then(() => this.ask(request));
    this.last = answer.catch(() => undefined);
    return answer;
  }

  private async ask(request: Request): Promise<NetlinkMessage[]> {
    for (let attempt = 0; attempt < MAX_DUMPS; attempt++) {
      const parts = await this.exchange(request);
      if (parts !== 'interrupted') return parts;
    }
    throw new NetlinkError('EINTR');
  }

  private exchange({ type, flags, body }: Request): Promise<NetlinkMessage[] | 'interrupted'> {
    return new Promise((resolve, reject) => {
      if (this.closed) throw new NetlinkError('ECANCELED');
      this.socket ??= this.options.open({
        receiveBufferBytes: RECEIVE_BUFFER_BYTES,
        onMessages: (messages) => this.receive(messages),
        onFailure: (error) => this.fail(error),
      });
      this.sequence = (this.sequence + 1) >>> 0;
      this.current = {
        sequence: this.sequence,
        isDump: (flags & Flag.dump) === Flag.dump && (flags & Flag.ack) === 0,
        parts: [],
        interrupted: false,
        timer: this.options.clock.after(TIMEOUT_MS, () => this.fail(new NetlinkError('ETIMEDOUT'))),
        resolve,
        reject,
      };
      const message = {
        type,
        flags: flags | Flag.request,
        seq: this.sequence,
        port: 0,
        data: body,
      };
      try {
        this.socket.send(formatMessage(message));
      } catch (error) {
        this.fail(NetlinkError.of(error));
      }
    });
  }

  private receive(messages: NetlinkMessage[]): void {
    for (const message of messages) {
      // Others are late answers to what was given up.
      if (message.seq === this.current?.sequence) this.take(message, this.current);
    }
  }

  private take(message: NetlinkMessage, exchange: Exchange): void {
    exchange.interrupted ||= (message.flags & Flag.dumpInterrupted) !== 0;
    switch (message.type) {
      case MessageType.error:
        this.end(parseErrno(message.data));
        return;
      case MessageType.done:
        this.end(message.data.length >= 4 ? message.data.readInt32LE(0) : 0);
        return;
      default:
        exchange.parts.push(message);
        if (!exchange.isDump) this.end(0);
    }
  }

  /** @param errno 0 for success, else negative */
  private end(errno: number): void {
    const exchange = this.takeCurrent();
    if (!exchange) return;
    if (errno < 0) exchange.reject(NetlinkError.ofErrno(errno));
    else exchange.resolve(exchange.interrupted ? 'interrupted' : exchange.parts);
  }

  /** The socket is of no use any more: what is under way fails, the next request gets another one. */
  private fail(error: NetlinkError): void {
    this.socket?.close();
    this.socket = undefined;
    this.takeCurrent()?.reject(error);
  }

  private takeCurrent(): Exchange | undefined {
    const exchange = this.current;
    exchange?.timer.cancel();
    this.current = undefined;
    return exchange;
  }
}
