import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** More than probes and scrapers open; what comes beyond it takes the place of the connection idle for longest. */
const MAX_CONNECTIONS = 100;

interface Guarded {
  socket: Socket;
  /** The request that is being answered. */
  answering: boolean;
}

/**
 * Keeps one client from using up a server that others depend on: a connection has one request at a time, requests
 * have no body, and there is always room for another connection, because the one idle for longest makes way.
 */
export class ConnectionGuard {
  /** By remote address and port, those idle for longest first. */
  private readonly connections = new Map<string, Guarded>();

  private constructor() {}

  /** Watches a server's connections; {@link admits} has to see each of its requests. */
  static of(server: Server): ConnectionGuard {
    const guard = new ConnectionGuard();
    server.on('connection', (socket: Socket) => guard.opened(socket));
    return guard;
  }

  /** Whether to answer the request; where not, its connection is closed. */
  admits(request: IncomingMessage, response: ServerResponse): boolean {
    const key = keyOf(request.socket);
    const connection = this.connections.get(key);
    if (!connection || connection.answering || hasBody(request)) {
      request.socket.destroy();
      return false;
    }
    connection.answering = true;
    response.once('close', () => {
      connection.answering = false;
      // The last in line: it was idle until now, and is again from now on.
      if (this.connections.delete(key)) this.connections.set(key, connection);
    });
    return true;
  }

  private opened(socket: Socket): void {
    const key = keyOf(socket);
    this.connections.set(key, { socket, answering: false });
    socket.once('close', () => this.connections.delete(key));
    if (this.connections.size > MAX_CONNECTIONS) this.makeRoom();
  }

  private makeRoom(): void {
    const all = [...this.connections.values()];
    const oldest = all.find(({ answering }) => !answering) ?? all[0];
    oldest?.socket.destroy();
  }
}

/** The same for a connection and for the TLS session on it. */
function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return (headers['content-length'] ?? '0') !== '0' || headers['transfer-encoding'] !== undefined;
}
