import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../../src/runtime/clock.js';
import type { Answer } from '../protocol/query-api.js';
import { Timers } from '../timers.js';
import { type ControlRequest, isControlPath, UnknownRouteError } from './control-routes.js';

const HOST = '127.0.0.1';

export interface Handlers {
  query(form: string): Answer | 'lost';
  control(request: ControlRequest): unknown;
}

/** One port on loopback: the query protocol at `/`, the control endpoint at `/_control`. */
export class HttpServer {
  private constructor(
    private readonly server: Server,
    /** Answers that are kept back. */
    private readonly late: Timers,
    readonly url: string,
  ) {}

  /** @param port 0: any free one. @throws where the port is taken. */
  static async listen(port: number, clock: Clock, handlers: Handlers): Promise<HttpServer> {
    const late = new Timers(clock);
    const server = createServer((request, response) => {
      readText(request)
        .then((text) => respond(handlers, late, request, response, text))
        .catch(() => response.destroy());
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, HOST, resolve);
    });
    const address = server.address() as AddressInfo;
    return new HttpServer(server, late, `http://${HOST}:${address.port}`);
  }

  async close(): Promise<void> {
    this.late.cancelAll();
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeAllConnections();
    await closed;
  }
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function respond(
  handlers: Handlers,
  late: Timers,
  request: IncomingMessage,
  response: ServerResponse,
  text: string,
): void {
  const { pathname, search } = new URL(request.url ?? '/', `http://${HOST}`);
  if (isControlPath(pathname)) {
    const { status, body } = control(handlers, {
      method: request.method ?? 'GET',
      path: pathname,
      text,
    });
    send(response, status, 'application/json', JSON.stringify(body ?? null));
    return;
  }
  const answer = handlers.query(request.method === 'GET' ? search.slice(1) : text);
  if (answer === 'lost') {
    response.destroy();
    return;
  }
  late.after(answer.delay, () => send(response, answer.status, 'text/xml', answer.body));
}

function control(handlers: Handlers, request: ControlRequest): { status: number; body: unknown } {
  try {
    return { status: 200, body: handlers.control(request) };
  } catch (err) {
    const message = err instanceof Error ? err.message : String(err);
    return { status: err instanceof UnknownRouteError ? 404 : 400, body: { error: message } };
  }
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, {
    'content-type': `${type};charset=UTF-8`,
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}
