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

/** The request in progress, and its response so far. */
interface PendingRequest {
  sequence: number;
  isDump: boolean;
  parts: NetlinkMessage[];
  interrupted: boolean;
  timer: Timer;
  resolve: (parts: NetlinkMessage[] | 'interrupted') => void;
  reject: (error: NetlinkError) => void;
}

/** The kernel responds during the send; only a bug takes this long. */
const TIMEOUT_MS = 10_000;
/** Attempts at a dump whose contents change meanwhile. */
const MAX_DUMPS = 10;
/** Holds several of the kernel's largest datagrams. */
const RECEIVE_BUFFER_BYTES = 256 * 1024;

/** Sends requests to rtnetlink, one at a time: a socket supports one dump, and the kernel serializes changes anyway. */
export class NetlinkRequests {
  private socket: NetlinkSocket | undefined;
  private current: PendingRequest | undefined;
  private last: Promise<unknown> = Promise.resolve();
  private sequence = 0;
  private closed = false;

  private constructor(private readonly options: NetlinkRequestsOptions) {}

  static create(options: NetlinkRequestsOptions): NetlinkRequests {
    return new NetlinkRequests(options);
  }

  /** Resolves once the kernel has made the change. @throws NetlinkError */
  async change(type: number, body: Uint8Array[], flags = 0): Promise<void> {
    await this.enqueue({ type, flags: flags | Flag.ack, body });
  }

  /** Returns one message. @throws NetlinkError */
  async get(type: number, body: Uint8Array[]): Promise<NetlinkMessage> {
    const [answer] = await this.enqueue({ type, flags: 0, body });
    if (!answer) throw new NetlinkError('ENODATA');
    return answer;
  }

  /** Lists all objects of a kind, consistently. @throws NetlinkError; EINTR if they keep changing */
  async dump(type: number, body: Uint8Array[]): Promise<NetlinkMessage[]> {
    return this.enqueue({ type, flags: Flag.dump, body });
  }

  /** Rejects current and later requests with ECANCELED. */
  close(): void {
    this.closed = true;
    this.fail(new NetlinkError('ECANCELED'));
  }

  private enqueue(request: Request): Promise<NetlinkMessage[]> {
    const answer = this.last.then(() => this.retryInterrupted(request));
    this.last = answer.catch(() => undefined);
    return answer;
  }

  private async retryInterrupted(request: Request): Promise<NetlinkMessage[]> {
    for (let attempt = 0; attempt < MAX_DUMPS; attempt++) {
      const parts = await this.send(request);
      if (parts !== 'interrupted') return parts;
    }
    throw new NetlinkError('EINTR');
  }

  private send({ type, flags, body }: Request): Promise<NetlinkMessage[] | 'interrupted'> {
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
      // Others are late responses to abandoned requests.
      if (message.seq === this.current?.sequence) this.take(message, this.current);
    }
  }

  private take(message: NetlinkMessage, pending: PendingRequest): void {
    pending.interrupted ||= (message.flags & Flag.dumpInterrupted) !== 0;
    switch (message.type) {
      case MessageType.error:
        this.end(parseErrno(message.data));
        return;
      case MessageType.done:
        this.end(message.data.length >= 4 ? message.data.readInt32LE(0) : 0);
        return;
      default:
        pending.parts.push(message);
        if (!pending.isDump) this.end(0);
    }
  }

  /** @param errno 0 for success, else negative */
  private end(errno: number): void {
    const pending = this.takeCurrent();
    if (!pending) return;
    if (errno < 0) pending.reject(NetlinkError.ofErrno(errno));
    else pending.resolve(pending.interrupted ? 'interrupted' : pending.parts);
  }

  /** Discards the socket: the current request fails, and the next one opens another socket. */
  private fail(error: NetlinkError): void {
    this.socket?.close();
    this.socket = undefined;
    this.takeCurrent()?.reject(error);
  }

  private takeCurrent(): PendingRequest | undefined {
    const pending = this.current;
    pending?.timer.cancel();
    this.current = undefined;
    return pending;
  }
}
