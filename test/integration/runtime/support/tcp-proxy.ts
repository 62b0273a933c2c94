import { once } from 'node:events';
import net from 'node:net';
import { listenOnLoopback, portOf } from '../../../support/loopback.js';

/** A network between client and server that can fail in the ways networks do. */
export class TcpProxy {
  /** Connections accepted so far. */
  accepted = 0;
  private readonly pairs = new Set<[net.Socket, net.Socket]>();
  private readonly server: net.Server;
  private silent = false;
  private down = false;

  private constructor(target: URL) {
    this.server = net.createServer((client) => {
      if (this.down) {
        client.resetAndDestroy();
        return;
      }
      this.accepted += 1;
      const upstream = net.connect(Number(target.port), target.hostname);
      const pair: [net.Socket, net.Socket] = [client, upstream];
      this.pairs.add(pair);
      this.forward(client, upstream);
      this.forward(upstream, client);
      for (const socket of pair) {
        socket.on('error', () => undefined);
        socket.on('close', () => this.end(pair));
      }
    });
  }

  /** Listens on a free port of the loopback interface. */
  static async start(target: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(new URL(target));
    await listenOnLoopback(proxy.server);
    return proxy;
  }

  get url(): string {
    return `https://127.0.0.1:${portOf(this.server)}`;
  }

  /** Ends all connections by a reset. */
  cut(): void {
    for (const pair of [...this.pairs]) this.end(pair);
  }

  /** Ends all connections, and refuses new ones. */
  goDown(): void {
    this.down = true;
    this.cut();
  }

  comeUp(): void {
    this.down = false;
  }

  /** Connections stay open, and from now on nothing goes through those that are. */
  goSilent(): void {
    this.silent = true;
    for (const pair of this.pairs) for (const socket of pair) socket.pause();
  }

  /** New connections work; those that were silenced stay so. */
  speak(): void {
    this.silent = false;
  }

  async stop(): Promise<void> {
    this.server.close();
    this.cut();
    await once(this.server, 'close');
  }

  private forward(from: net.Socket, to: net.Socket): void {
    from.on('data', (data) => to.write(data));
    if (this.silent) from.pause();
  }

  private end(pair: [net.Socket, net.Socket]): void {
    this.pairs.delete(pair);
    for (const socket of pair) socket.resetAndDestroy();
  }
}
