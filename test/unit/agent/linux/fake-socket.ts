import {
  type NetlinkMessage,
  parseMessages,
} from '../../../../src/agent/linux/messages/netlink-codec.js';
import type {
  NetlinkSocketOptions,
  OpenNetlinkSocket,
} from '../../../../src/agent/linux/netlink-socket.js';

/** A kernel at the other end of each socket that is opened. */
export class FakeKernel {
  readonly sockets: FakeSocket[] = [];
  /** What it does with a request. */
  answer: (request: NetlinkMessage, socket: FakeSocket) => void = () => {};
  /** Thrown at the next opening. */
  refusal: Error | undefined;

  readonly open: OpenNetlinkSocket = (options) => {
    const { refusal } = this;
    this.refusal = undefined;
    if (refusal) throw refusal;
    const socket = new FakeSocket(options, (request) => this.answer(request, socket));
    this.sockets.push(socket);
    return socket;
  };

  get latest(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error('No socket was opened');
    return socket;
  }
}

export class FakeSocket {
  isClosed = false;

  constructor(
    readonly options: NetlinkSocketOptions,
    private readonly onRequest: (request: NetlinkMessage) => void,
  ) {}

  send(message: Uint8Array[]): void {
    for (const request of parseMessages(Buffer.concat(message))) this.onRequest(request);
  }

  /** The kernel sends a datagram. */
  tell(...messages: NetlinkMessage[]): void {
    this.options.onMessages(messages);
  }

  close(): void {
    this.isClosed = true;
  }
}
