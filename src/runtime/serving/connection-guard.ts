import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** More than probes and scrapers open; beyond it, a new connection replaces the one idle for longest. */
const MAX_CONNECTIONS = 100;

interface Guarded {
  socket: Socket;
  /** It has a request in progress. */
  answering: boolean;
}

/**
 * Prevents one client from using up a server that others depend on: a connection has one request at a time,
 * requests have no body, and a new connection always finds room, because the one idle for longest is closed.
 */
export class ConnectionGuard {
  /** By remote address and port, those idle for longest first. */
  private readonly connections = new Map<string, Guarded>();

  private constructor() {}

  /** Tracks a server's connections; {@link admits} must see each of its requests. */
  static of(server: Server): ConnectionGuard {
    const guard = new ConnectionGuard();
    server.on('connection', (socket: Socket) => guard.opened(socket));
    return guard;
  }

  /** Whether to answer the request; if not, its connection is closed. */
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
      // Moves to the end of the order: it was idle until now, and is again from now on.
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
