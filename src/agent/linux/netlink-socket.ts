import { bind, close, poll, recvfrom, sendto, setsockopt, socket } from './libc.js';
import {
  formatMessage,
  type NetlinkMessage,
  parseMessages,
  u32,
} from './messages/netlink-codec.js';
import { Flag } from './messages/rtnetlink.js';
import { NetlinkError } from './netlink-error.js';

/** A socket to the kernel's rtnetlink. */
export interface NetlinkSocket {
  /** The kernel responds before it returns. @throws NetlinkError */
  send(message: Uint8Array[]): void;
  /** No handler is called after it. */
  close(): void;
}

interface NetlinkSocketHandlers {
  /** The messages of a datagram from the kernel. */
  onMessages(messages: NetlinkMessage[]): void;
  /** The socket failed, or a datagram was malformed. Close the socket. */
  onFailure(error: NetlinkError): void;
}

export interface NetlinkSocketOptions extends NetlinkSocketHandlers {
  /** RTNLGRP_… to listen to. */
  groups?: readonly number[];
  /** Size of the receive buffer in bytes (SO_RCVBUF); the kernel counts its overhead, too. */
  receiveBufferBytes: number;
}

/** @throws NetlinkError */
export type OpenNetlinkSocket = (options: NetlinkSocketOptions) => NetlinkSocket;

const AF_NETLINK = 16;
/** SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK */
const TYPE = 3 | 0o2000000 | 0o4000;
/** NETLINK_ROUTE */
const PROTOCOL = 0;
/** struct sockaddr_nl: family u16, pad u16, port u32, groups u32. Port 0 is the kernel. */
const ADDRESS_BYTES = 12;
const PORT_AT = 4;
/** MSG_TRUNC: the result is the full size, even of a truncated datagram. */
const TRUE_SIZE = 0x20;
/** SOL_SOCKET, SOL_NETLINK and their options. */
const SocketLevel = { level: 1, receiveBuffer: 8, receiveBufferForced: 33 } as const;
const NetlinkLevel = { level: 270, addMembership: 1 } as const;
/** The kernel's datagrams have at most 32 KiB, except for a single larger message. */
const DATAGRAM_BYTES = 64 * 1024;
/** NLMSG_NOOP */
const NOTHING = 1;
/** POLLIN */
const READABLE = 1;
/** Maximum wait for events in milliseconds; it delays the exit of a process that does not call close(). */
const POLL_MS = 500;
/** Datagrams to read before yielding to the event loop. */
const BURST = 64;

/** A raw socket through libc, because Node does not support netlink. */
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
    // While a thread polls the descriptor, the kernel must not reuse its number.
    if (this.isListening) this.wake();
    else close(this.fd);
  }

  /** Calls the handlers when datagrams arrive. */
  listen(): void {
    this.isListening = true;
    poll.async(this.descriptors, 1, POLL_MS, () => {
      this.drain();
      if (this.closed) close(this.fd);
      else this.listen();
    });
  }

  /** Ends the poll: the kernel acknowledges even an empty request. */
  private wake(): void {
    const nothing = { type: NOTHING, flags: Flag.request | Flag.ack, seq: 0, port: 0, data: [] };
    try {
      this.write(formatMessage(nothing));
    } catch {
      // The poll times out within POLL_MS.
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
        // Any process can send to this port; trust only the kernel.
        if (this.sender.readUInt32LE(PORT_AT) !== 0) continue;
        if (size > DATAGRAM_BYTES) throw new NetlinkError('EMSGSIZE');
        this.options.onMessages(parseMessages(Buffer.from(this.datagram.subarray(0, size))));
      }
      // The rest of a long dump: nothing else triggers reading it.
      if (!this.isListening && !this.closed) setImmediate(() => this.drain());
    } catch (error) {
      this.options.onFailure(NetlinkError.of(error));
    }
  }

  /** @returns size of the next datagram, or undefined if there is none; fills `datagram` and `sender`. */
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
    // With CAP_NET_ADMIN, this can exceed net.core.rmem_max.
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
