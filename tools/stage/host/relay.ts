import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { TemporaryDirectory } from '../../envtest/temporary-directory.js';

/**
 * A way from a network namespace to a port of this machine's: a Unix socket, which is a file and knows no
 * namespaces. In the namespace, relay-main.ts listens and forwards what it receives to the socket.
 */
export class Relay {
  private constructor(
    readonly socketPath: string,
    private readonly directory: TemporaryDirectory,
    private readonly server: Server,
    private readonly sockets: Set<Socket>,
  ) {}

  /** Brings to `host`:`port` whatever comes to the socket. */
  static async to(host: string, port: number): Promise<Relay> {
    const directory = await TemporaryDirectory.create('eni-relay-');
    const socketPath = join(directory.path, 'socket');
    const sockets = new Set<Socket>();
    const server = createServer((client) => {
      const upstream = connect(port, host);
      for (const socket of [client, upstream]) {
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
      }
      joinSockets(client, upstream);
    });
    await new Promise<void>((resolve) => server.listen(socketPath, resolve));
    return new Relay(socketPath, directory, server, sockets);
  }

  /** Cuts all connections that there are; new ones are welcome. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.server.close();
    this.cut();
    await this.directory.remove();
  }
}

/** Two sockets as one; where one ends or fails, so does the other. */
export function joinSockets(a: Socket, b: Socket): void {
  const nobodyAsks = () => undefined;
  void pipeline(a, b).catch(nobodyAsks);
  void pipeline(b, a).catch(nobodyAsks);
}
