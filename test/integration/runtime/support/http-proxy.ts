import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { listenOnLoopback, portOf } from '../../../support/loopback.js';

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
    await listenOnLoopback(proxy.server);
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${portOf(this.server)}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }
}
