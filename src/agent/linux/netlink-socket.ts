import { Protocol } from 'netlink/dist/constants.js';
import { RawNetlinkSocket } from 'netlink/dist/raw.js';
import { type NetlinkMessage, parseMessages } from 'netlink/dist/structs.js';
import { NetlinkError } from './netlink-error.js';

/** A socket to the kernel's rtnetlink, as far as those above need one. */
export interface NetlinkSocket {
  send(message: Uint8Array[]): void;
  /** Nothing is heard after it. */
  close(): void;
}

export interface NetlinkSocketHandlers {
  /** A datagram of the kernel, taken apart. */
  onMessages(messages: NetlinkMessage[]): void;
  /** The socket has failed, or what came cannot be read: it is of no use any more. */
  onFailure(error: NetlinkError): void;
}

export interface NetlinkSocketOptions extends NetlinkSocketHandlers {
  /** RTNLGRP_… to listen to. */
  groups?: readonly number[];
  /** SO_RCVBUF; the kernel doubles it and caps it at net.core.rmem_max. */
  receiveBufferBytes: number;
}

/** @throws NetlinkError */
export type OpenNetlinkSocket = (options: NetlinkSocketOptions) => NetlinkSocket;

const SEND_BUFFER_BYTES = 32 * 1024;
/** Port of the kernel: any process may write to ours, none is to be believed. */
const KERNEL = 0;

/**
 * The binding's raw socket. What stands above it in the package is not used: it loses the errno, the flags of a
 * dump's end, and a dump itself if an event comes between its parts.
 *
 * The binding calls from C++, where an exception would end the process: none of a handler's gets there.
 */
export const openNetlinkSocket: OpenNetlinkSocket = (options) => {
  const socket = openRaw(options);
  let closed = false;
  const tell = (news: () => void): void => {
    if (closed) return;
    try {
      news();
    } catch (error) {
      options.onFailure(NetlinkError.of(error));
    }
  };
  socket.on('message', (datagram, { port }) =>
    tell(() => {
      if (port === KERNEL) options.onMessages(parseMessages(datagram));
    }),
  );
  socket.on('error', (error) => tell(() => options.onFailure(NetlinkError.of(error))));
  return {
    send: (message) =>
      socket.send(message, {}, (error) => {
        if (error) tell(() => options.onFailure(NetlinkError.of(error)));
      }),
    close() {
      if (closed) return;
      closed = true;
      // Not within a call of the binding, which goes on to use what close() frees.
      setImmediate(() => socket.close());
    },
  };
};

function openRaw({ groups = [], receiveBufferBytes }: NetlinkSocketOptions): RawNetlinkSocket {
  let socket: RawNetlinkSocket | undefined;
  try {
    socket = new RawNetlinkSocket(Protocol.ROUTE, {
      recvBufferSize: receiveBufferBytes,
      sendBufferSize: SEND_BUFFER_BYTES,
    });
    for (const group of groups) socket.addMembership(group);
    return socket;
  } catch (error) {
    socket?.close();
    throw NetlinkError.of(error);
  }
}
