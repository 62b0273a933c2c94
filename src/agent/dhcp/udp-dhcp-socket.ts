import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { BROADCAST, type DhcpSocket, DhcpSocketError, PORT } from './dhcp-socket.js';

/**
 * Port 68 of the address: Linux sends a limited broadcast out of the device that has the bound address, so
 * that no device has to be named (ip_route_output_key_hash_rcu in net/ipv4/route.c). What is broadcast does
 * not come to a socket bound to an address: a second one listens for it. Other DHCP clients of the host keep
 * their port, for it is shared (SO_REUSEADDR), as theirs is.
 * @throws DhcpSocketError
 */
export async function openUdpDhcpSocket(
  address: string,
  onMessage: (message: Uint8Array) => void,
): Promise<DhcpSocket> {
  const own = await bound(address, onMessage);
  try {
    own.setBroadcast(true);
    const ear = await bound(BROADCAST, onMessage);
    return new UdpDhcpSocket(own, ear);
  } catch (error) {
    own.close();
    throw error;
  }
}

class UdpDhcpSocket implements DhcpSocket {
  constructor(
    private readonly own: Socket,
    private readonly ear: Socket,
  ) {}

  send(message: Uint8Array, to: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.own.send(message, PORT.server, to, (error) =>
        error ? reject(socketError('send', error)) : resolve(),
      );
    });
  }

  close(): void {
    this.own.close();
    this.ear.close();
  }
}

async function bound(address: string, onMessage: (message: Uint8Array) => void): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  try {
    const listening = once(socket, 'listening');
    socket.bind({ address, port: PORT.client, exclusive: true });
    await listening;
  } catch (error) {
    socket.close();
    throw socketError('bind', error);
  }
  socket.on('message', onMessage);
  // An ICMP answer to what was sent ("port unreachable"): the same as silence.
  socket.on('error', () => undefined);
  return socket;
}

function socketError(operation: 'bind' | 'send', cause: unknown): DhcpSocketError {
  const code = (cause as NodeJS.ErrnoException).code ?? 'UNKNOWN';
  return new DhcpSocketError(operation, code, { cause });
}
