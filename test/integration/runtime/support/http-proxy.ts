import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';

/** An HTTP proxy that tunnels, as firewalls have them. */
export class HttpProxy {
  /** Where its clients wanted to go, `host:port`, once a tunnel. */
  readonly tunnels: string[] = [];
  private readonly sockets = new Set<net.Socket>();
  private readonly server = http.createServer();

  private constructor() {
    this.server.on('connect', (request: http.IncomingMessage, client: net.Socket) => {
      const target = new URL(`http://${request.url}`);
      this.tunnels.push(target.host);
      const upstream = net.connect(Number(target.port), target.hostname, () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n');
        client.pipe(upstream).pipe(client);
      });
      for (const socket of [client, upstream]) {
        this.sockets.add(socket);
        socket.on('error', () => undefined);
      }
    });
  }

  /** Listens on a free port of the loopback interface. */
  static async start(): Promise<HttpProxy> {
    const proxy = new HttpProxy();
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  get url(): string {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('Not listening');
    return `http://127.0.0.1:${address.port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }
}
