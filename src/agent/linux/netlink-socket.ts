import { bind, close, poll, recvfrom, sendto, setsockopt, socket } from './libc.js';
import {
  formatMessage,
  type NetlinkMessage,
  parseMessages,
  u32,
} from './messages/netlink-codec.js';
import { Flag } from './messages/rtnetlink.js';
import { NetlinkError } from './netlink-error.js';

/** A socket to the kernel's rtnetlink, as far as those above need one. */
export interface NetlinkSocket {
  /** The kernel answers within it. @throws NetlinkError */
  send(message: Uint8Array[]): void;
  /** Nothing is heard after it. */
  close(): void;
}

interface NetlinkSocketHandlers {
  /** A datagram of the kernel, taken apart. */
  onMessages(messages: NetlinkMessage[]): void;
  /** The socket has failed, or what came cannot be read: it is of no use any more. */
  onFailure(error: NetlinkError): void;
}

export interface NetlinkSocketOptions extends NetlinkSocketHandlers {
  /** RTNLGRP_… to listen to. */
  groups?: readonly number[];
  /** Bytes that the kernel keeps for us, counted by its own, larger measure (SO_RCVBUF). */
  receiveBufferBytes: number;
}

/** @throws NetlinkError */
export type OpenNetlinkSocket = (options: NetlinkSocketOptions) => NetlinkSocket;

const AF_NETLINK = 16;
/** SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK */
const TYPE = 3 | 0o2000000 | 0o4000;
/** NETLINK_ROUTE */
const PROTOCOL = 0;
/** struct sockaddr_nl: family u16, pad u16, port u32, groups u32. All zero: the kernel. */
const ADDRESS_BYTES = 12;
const PORT_AT = 4;
/** MSG_TRUNC: the result is the datagram's size, fit or not. */
const TRUE_SIZE = 0x20;
/** SOL_SOCKET, SOL_NETLINK and their options. */
const SocketLevel = { level: 1, receiveBuffer: 8, receiveBufferForced: 33 } as const;
const NetlinkLevel = { level: 270, addMembership: 1 } as const;
/** The kernel's datagrams are of at most 32 KiB, but for one message that is longer. */
const DATAGRAM_BYTES = 64 * 1024;
/** NLMSG_NOOP */
const NOTHING = 1;
/** POLLIN */
const READABLE = 1;
/** Milliseconds of a wait for news: a process that ends without close() ends this late. */
const POLL_MS = 500;
/** Datagrams that are read before the event loop has its turn. */
const BURST = 64;

/** A raw socket by libc's functions: none of Node's own knows netlink. */
class LibcNetlinkSocket implements NetlinkSocket {
  private readonly datagram = Buffer.allocUnsafe(DATAGRAM_BYTES);
  private readonly sender = Buffer.alloc(ADDRESS_BYTES);
  private readonly senderLength = Buffer.alloc(4);
  private readonly descriptors = Buffer.alloc(8);
  private isListening = false;
  private closed = false;

  constructor(
    private readonly options: NetlinkSocketOptions,
    private readonly fd: number,
  ) {
    this.descriptors.writeInt32LE(fd, 0);
    this.descriptors.writeInt16LE(READABLE, 4);
  }

  send(message: Uint8Array[]): void {
    this.write(message);
    this.drain();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    // While a thread waits for it, the descriptor must not become another file's.
    if (this.isListening) this.wake();
    else close(this.fd);
  }

  /** Calls the handlers as news comes in. */
  listen(): void {
    this.isListening = true;
    poll.async(this.descriptors, 1, POLL_MS, () => {
      this.drain();
      if (this.closed) close(this.fd);
      else this.listen();
    });
  }

  /** The kernel answers what asks for nothing, too: the wait for news ends. */
  private wake(): void {
    const nothing = { type: NOTHING, flags: Flag.request | Flag.ack, seq: 0, port: 0, data: [] };
    try {
      this.write(formatMessage(nothing));
    } catch {
      // Then it ends by itself, within POLL_MS.
    }
  }

  private write(message: Uint8Array[]): void {
    const bytes = Buffer.concat(message);
    sendto(this.fd, bytes, bytes.length, 0, kernelAddress(), ADDRESS_BYTES);
  }

  private drain(): void {
    try {
      for (let count = 0; count < BURST && !this.closed; count++) {
        const size = this.receive();
        if (size === undefined) return;
        // Any process may write to our port; none but the kernel is believed.
        if (this.sender.readUInt32LE(PORT_AT) !== 0) continue;
        if (size > DATAGRAM_BYTES) throw new NetlinkError('EMSGSIZE');
        this.options.onMessages(parseMessages(Buffer.from(this.datagram.subarray(0, size))));
      }
      // What remains is of a long dump; nobody else comes back to it.
      if (!this.isListening && !this.closed) setImmediate(() => this.drain());
    } catch (error) {
      this.options.onFailure(NetlinkError.of(error));
    }
  }

  /** @returns the next datagram's size, unless there is none; its bytes and sender are in ours. */
  private receive(): number | undefined {
    const { fd, datagram, sender, senderLength } = this;
    senderLength.writeUInt32LE(ADDRESS_BYTES);
    try {
      return recvfrom(fd, datagram, DATAGRAM_BYTES, TRUE_SIZE, sender, senderLength);
    } catch (error) {
      if (error instanceof NetlinkError && error.code === 'EAGAIN') return undefined;
      throw error;
    }
  }
}

export const openNetlinkSocket: OpenNetlinkSocket = (options) => {
  const { groups = [], receiveBufferBytes } = options;
  const fd = socket(AF_NETLINK, TYPE, PROTOCOL);
  try {
    setReceiveBuffer(fd, receiveBufferBytes);
    bind(fd, kernelAddress(), ADDRESS_BYTES);
    for (const group of groups) {
      setsockopt(fd, NetlinkLevel.level, NetlinkLevel.addMembership, u32(group), 4);
    }
  } catch (error) {
    close(fd);
    throw error;
  }
  const opened = new LibcNetlinkSocket(options, fd);
  if (groups.length > 0) opened.listen();
  return opened;
};

function setReceiveBuffer(fd: number, bytes: number): void {
  const { level, receiveBuffer, receiveBufferForced } = SocketLevel;
  try {
    // Above net.core.rmem_max too, with CAP_NET_ADMIN.
    setsockopt(fd, level, receiveBufferForced, u32(bytes), 4);
  } catch {
    setsockopt(fd, level, receiveBuffer, u32(bytes), 4);
  }
}

function kernelAddress(): Buffer {
  const address = Buffer.alloc(ADDRESS_BYTES);
  address.writeUInt16LE(AF_NETLINK, 0);
  return address;
}
