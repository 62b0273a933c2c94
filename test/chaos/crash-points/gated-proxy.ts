import http, { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import https from 'node:https';
import { buffer } from 'node:stream/consumers';
import type { KeyPair } from '../../../tools/envtest/pki.js';
import { listenOnLoopback, portOf } from '../../support/loopback.js';
import type { CrashGate } from './crash-gate.js';
import type { Moment } from './crash-point.js';
import type { WriteNamer } from './write-name.js';

/** A server behind a proxy. */
export interface Upstream {
  /** Scheme, host and port. */
  origin: string;
  /** How to reach it over TLS: whom it trusts, and who we are. */
  tls?: KeyPair & { ca: string };
}

export interface GatedProxyOptions {
  upstream: Upstream;
  gate: CrashGate;
  writeIn: WriteNamer;
  /** The proxy's own certificate; unset: it speaks plain HTTP. */
  serving?: KeyPair;
  /** Resolves when to forward requests that are `late`. */
  lateArrival: () => Promise<void>;
  /** Called for each write that the server has answered, whether or not the proxy forwards the answer. */
  onAnswer?: (write: string, answer: { status: number; body: string }) => void;
}

/** Stands between the controller and a server, and asks a {@link CrashGate} about every request. */
export class GatedProxy implements AsyncDisposable {
  private readonly server: http.Server;

  private constructor(private readonly options: GatedProxyOptions) {
    const { serving, gate } = options;
    const listener: RequestListener = (request, response) => {
      // What fails here fails because one of both sides is gone; the other side sees the same failure.
      this.handle(request, response).catch(() => response.destroy());
    };
    this.server = serving ? https.createServer(serving, listener) : http.createServer(listener);
    // A connection that ends while a request is on its way would be a failure of the proxy's own.
    this.server.keepAliveTimeout = 0;
    // Bytes that the dead controller left in a socket are not to be read as requests.
    void gate.buried.then(() => this.server.closeAllConnections());
  }

  /** Listens on a free port of loopback. */
  static async start(options: GatedProxyOptions): Promise<GatedProxy> {
    const proxy = new GatedProxy(options);
    await listenOnLoopback(proxy.server);
    return proxy;
  }

  get url(): string {
    const port = portOf(this.server);
    return `${this.options.serving ? 'https' : 'http'}://127.0.0.1:${port}`;
  }

  /** Cuts all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { gate, writeIn } = this.options;
    const { method = 'GET', url = '/' } = request;
    const body = await buffer(request);
    const write = writeIn({ method, url, body: body.toString() });
    const verdict = gate.meet(write);
    if (verdict === 'held') {
      await gate.buried;
      response.destroy();
    } else if (verdict !== 'pass') {
      const crash = this.crash({ request, response, body, write, moment: verdict });
      gate.spend(crash);
      await crash.finally(() => response.destroy());
    } else if (write === undefined) {
      this.stream(response, await this.forward(request, body));
    } else {
      await send(response, await this.forwardWrite(request, body, write));
    }
  }

  private async crash({ moment, request, response, body, write }: FatalRequest): Promise<void> {
    const { gate, lateArrival } = this.options;
    switch (moment) {
      case 'before':
        return gate.kill();
      case 'late':
        await gate.kill();
        await lateArrival();
        await this.forwardWrite(request, body, write);
        return;
      case 'unanswered':
        await this.forwardWrite(request, body, write);
        return gate.kill();
      case 'answered':
        await send(response, await this.forwardWrite(request, body, write));
        return gate.killAtNextRequest();
    }
  }

  private async forwardWrite(
    request: IncomingMessage,
    body: Buffer,
    write: string | undefined,
  ): Promise<Answer> {
    const incoming = await this.forward(request, body);
    const answer = { head: incoming, body: await buffer(incoming) };
    const { statusCode: status = 0 } = incoming;
    this.options.onAnswer?.(write ?? '', { status, body: answer.body.toString() });
    return answer;
  }

  private forward(request: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
    const { origin, tls } = this.options.upstream;
    const { authorization, host, 'transfer-encoding': _, ...headers } = request.headers;
    const options = {
      method: request.method,
      headers: {
        ...headers,
        'content-length': body.length,
        // EC2 wants the signature; the API server is to know us by our certificate.
        ...(tls || authorization === undefined ? {} : { authorization }),
      },
      agent: false,
      ...tls,
    };
    return new Promise((resolve, reject) => {
      const { request: open } = tls ? https : http;
      const outgoing = open(`${origin}${request.url}`, options, resolve);
      outgoing.once('error', reject);
      outgoing.end(body);
    });
  }

  private stream(response: ServerResponse, incoming: IncomingMessage): void {
    response.once('close', () => incoming.destroy());
    incoming.once('error', () => response.destroy());
    response.writeHead(incoming.statusCode ?? 502, endToEnd(incoming));
    // A watch has a head long before it has a first event.
    response.flushHeaders();
    incoming.pipe(response);
  }
}

/** The request at which the controller dies. */
interface FatalRequest {
  moment: Moment;
  request: IncomingMessage;
  response: ServerResponse;
  body: Buffer;
  write: string | undefined;
}

interface Answer {
  head: IncomingMessage;
  body: Buffer;
}

/** Resolves once the answer is with the operating system. */
async function send(response: ServerResponse, { head, body }: Answer): Promise<void> {
  response.writeHead(head.statusCode ?? 502, endToEnd(head));
  await new Promise<void>((resolve) => response.end(body, resolve));
}

/** The headers that are about the answer, not about one connection. */
function endToEnd({ headers }: IncomingMessage): http.OutgoingHttpHeaders {
  const { connection, 'keep-alive': _, 'transfer-encoding': __, ...others } = headers;
  return others;
}
