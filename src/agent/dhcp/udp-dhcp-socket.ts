import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { BROADCAST, type DhcpSocket, DhcpSocketError, PORT } from './dhcp-socket.js';

/**
 * Port 68 of the address: Linux sends a limited broadcast out of the device that has the bound address, so that it needs no device name (ip_route_output_key_hash_rcu in net/ipv4/route.c). A socket bound to an address does not
 * receive broadcasts, so a second one does. Other DHCP clients on the host keep working, because the port is
 * shared (SO_REUSEADDR).
 * @throws DhcpSocketError
 */
export async function openUdpDhcpSocket(
  address: string,
  onMessage: (message: Uint8Array) => void,
): Promise<DhcpSocket> {
  const own = await bound(address, onMessage);
  try {
    own.setBroadcast(true);
    const broadcasts = await bound(BROADCAST, onMessage);
    return new UdpDhcpSocket(own, broadcasts);
  } catch (error) {
    own.close();
    throw error;
  }
}

class UdpDhcpSocket implements DhcpSocket {
  constructor(
    private readonly own: Socket,
    private readonly broadcasts: Socket,
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
    this.broadcasts.close();
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
  // An ICMP error ("port unreachable") counts as no response.
  socket.on('error', () => undefined);
  return socket;
}

function socketError(operation: 'bind' | 'send', cause: unknown): DhcpSocketError {
  const code = (cause as NodeJS.ErrnoException).code ?? 'UNKNOWN';
  return new DhcpSocketError(operation, code, { cause });
}
