import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { type Clock, systemClock } from '../clock.js';
import { describeError, type Logger } from '../logger.js';
import type { CertificateFiles } from './certificate-files.js';
import { ConnectionGuard } from './connection-guard.js';

/** Where a server listens. */
export interface ListenAddress {
  /** Absent: every address of the machine. */
  host?: string;
  /** 0: any free port. */
  port: number;
}

/** As Go writes it: `:8080`, `127.0.0.1:8080`, `[::1]:8080`. */
export function formatAddress({ host = '', port }: ListenAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** The response to one request. */
export interface Response {
  /** HTTP status. */
  status: number;
  body: string;
  /** In addition to Content-Type, which is plain text unless set here. */
  headers?: Record<string, string>;
}

interface Request {
  /** Without the query or a trailing slash. */
  path: string;
  query: URLSearchParams;
  /** Value of the header Authorization. */
  authorization: string | undefined;
}

/** Responds to a GET; undefined if it does not serve that path. */
export type Handler = (request: Request) => Promise<Response | undefined> | Response | undefined;

export interface HttpServerOptions {
  /** The server's purpose, for the log. */
  name: string;
  /** The setting that `address` comes from, for the error. */
  setting: string;
  address: ListenAddress;
  handler: Handler;
  /** Absent: plain HTTP. */
  certificate?: CertificateFiles | undefined;
  logger: Logger;
}

/** The server cannot listen on the address. */
export class AddressUnavailableError extends Error {
  override name = 'AddressUnavailableError';
}

/** A client that takes longer than this to send its request is disconnected, in milliseconds. */
const REQUEST_TIMEOUT_MS = 5_000;
/**
 * Interval of the check for slow clients, in milliseconds; Node's own 30 s would allow six times their limit.
 */
const SWEEP_INTERVAL_MS = 1_000;
/** A client that reads nothing of its response for this long is disconnected, in milliseconds. */
const INACTIVITY_MS = 10_000;
/** Maximum size of a request's headers, in bytes; a bearer token has a few KiB at most. */
const MAX_HEADER_BYTES = 16_384;
/**
 * Below the usual interval of scrapes, so that connections do not stay open between them; it only serves
 * bursts.
 */
const KEEP_ALIVE_MS = 5_000;

const PLAIN_TEXT = 'text/plain; charset=utf-8';

const REASONS: Record<string, string> = {
  EADDRINUSE: 'another process listens there',
  EACCES: 'the process lacks the permission to listen there',
  EADDRNOTAVAIL: 'the machine has no such address',
};

/** A small HTTP or HTTPS server that answers GET and HEAD. */
export class HttpServer {
  private constructor(
    private readonly server: http.Server | https.Server,
    private readonly stopCertificate: (() => void) | undefined,
  ) {}

  /**
   * Resolves once it listens.
   * @throws AddressUnavailableError that names the setting; errors of reading the certificate
   */
  static async start(options: HttpServerOptions): Promise<HttpServer> {
    const { name, certificate, logger, address } = options;
    const limits = {
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: SWEEP_INTERVAL_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    };
    const listener: http.RequestListener = (request, response) => {
      if (guard.admits(request, response)) void respond(request, response, options);
    };
    let server: http.Server | https.Server;
    let stopCertificate: (() => void) | undefined;
    if (certificate) {
      const secure = https.createServer({ ...limits, ...(await certificate.read()) }, listener);
      stopCertificate = certificate.watch((pair) => secure.setSecureContext(pair));
      server = secure;
    } else {
      server = http.createServer(limits, listener);
    }
    const guard = ConnectionGuard.of(server);
    server.setTimeout(INACTIVITY_MS);
    try {
      await listen(server, address);
    } catch (error) {
      stopCertificate?.();
      throw unavailable(error, options);
    }
    const started = new HttpServer(server, stopCertificate);
    logger.info('Serving', { serves: name, port: started.port, tls: certificate !== undefined });
    return started;
  }

  /** The port on which it listens, also if any free port was requested. */
  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Accepts no more connections and closes the open ones. */
  async close(): Promise<void> {
    this.stopCertificate?.();
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeAllConnections();
    await closed;
  }
}

function listen(server: http.Server, { host, port }: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function unavailable(error: unknown, { setting, address }: HttpServerOptions): Error {
  const { code = '' } = error as NodeJS.ErrnoException;
  const why = REASONS[code] ?? describeError(error);
  return new AddressUnavailableError(
    `${setting}=${formatAddress(address)} is not available: ${why}. Choose another address, or 0 to serve nothing.`,
    { cause: error },
  );
}

async function respond(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  options: HttpServerOptions,
): Promise<void> {
  const { status, body, headers } = await answerTo(request, options);
  response.writeHead(status, {
    'content-type': PLAIN_TEXT,
    'content-length': Buffer.byteLength(body),
    'x-content-type-options': 'nosniff',
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function answerTo(
  { method, url = '/', headers }: http.IncomingMessage,
  { name, handler, logger }: HttpServerOptions,
): Promise<Response> {
  if (method !== 'GET' && method !== 'HEAD') {
    return { status: 405, body: 'method not allowed\n', headers: { allow: 'GET, HEAD' } };
  }
  const target = URL.parse(url, 'http://localhost');
  if (!target) return { status: 400, body: 'bad request\n' };
  try {
    const path = target.pathname.replace(/\/+$/, '');
    const { authorization } = headers;
    const answer = await handler({ path, query: target.searchParams, authorization });
    return answer ?? { status: 404, body: 'not found\n' };
  } catch (error) {
    logger.error('A request could not be answered', { serves: name, error });
    return { status: 500, body: 'internal error\n' };
  }
}

/** Authorizes a request by its Authorization header: undefined if it is allowed, else the response. */
export type Authorizer = (authorization: string | undefined) => Promise<Response | undefined>;

export interface MetricsHandlerOptions {
  registry: Registry;
  /** Absent: every client may read. */
  authorize?: Authorizer | undefined;
  /** Default: the machine's. */
  clock?: Clock;
}

/** Requests within this time share a rendered text, in milliseconds. */
const TEXT_SHARED_MS = 100;

/** Renders a text once for all requests that arrive meanwhile or shortly after. */
function sharedText(render: () => Promise<string>, clock: Clock): () => Promise<string> {
  let text: Promise<string> | undefined;
  let renderedAt = 0;
  return () => {
    if (text === undefined || clock.now() - renderedAt >= TEXT_SHARED_MS) {
      renderedAt = clock.now();
      text = render().finally(() => {
        renderedAt = clock.now();
      });
      text.catch(() => {
        text = undefined;
      });
    }
    return text;
  };
}

/** `/metrics`, in Prometheus' text format. */
export function metricsHandler({
  registry,
  authorize,
  clock = systemClock,
}: MetricsHandlerOptions): Handler {
  const render = sharedText(() => registry.metrics(), clock);
  return async ({ path, authorization }) => {
    if (path !== '/metrics') return undefined;
    const refusal = await authorize?.(authorization);
    if (refusal) return refusal;
    return { status: 200, body: await render(), headers: { 'content-type': registry.contentType } };
  };
}
