import http from 'node:http';
import https from 'node:https';
import { createSecureContext } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../clock.js';
import {
  type ApiServer,
  type KubeAccess,
  KubeConfigError,
  type TlsCredentials,
} from '../access/kube-access.js';

/** Below the idle timeouts of the API server (90 s) and of load balancers, in milliseconds. */
const IDLE_MS = 30_000;

/** When the first TCP keepalive probe of a quiet connection is sent, in milliseconds (client-go's). */
const TCP_KEEP_ALIVE_MS = 30_000;

/**
 * A pool with as many connections as concurrent requests; those idle for 30 seconds are closed. They use
 * HTTP/1.1: over HTTP/2 all watches and writes would share one connection, and aborting a silent watch would
 * abort the others too.
 * @throws KubeConfigError for certificates that TLS cannot read.
 */
function createPool({ url, proxyUrl }: ApiServer, tls: TlsCredentials): http.Agent {
  const options: http.AgentOptions = {
    keepAlive: true,
    keepAliveMsecs: TCP_KEEP_ALIVE_MS,
    timeout: IDLE_MS,
    maxFreeSockets: Number.POSITIVE_INFINITY,
    ...(proxyUrl ? { proxyEnv: { HTTP_PROXY: proxyUrl, HTTPS_PROXY: proxyUrl } } : {}),
  };
  if (url.startsWith('http:')) return new http.Agent(options);
  const { rejectUnauthorized, servername, ...certificates } = tls;
  return new https.Agent({
    ...options,
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
    ...(servername === undefined ? {} : { servername }),
    // Created once: otherwise each connection would parse the certificates again.
    secureContext: secureContextOf(certificates),
  });
}

/** Closes idle connections immediately, and busy ones when their requests end. */
function retirePool(pool: http.Agent): void {
  pool.maxFreeSockets = 0;
  for (const idle of Object.values(pool.freeSockets)) {
    for (const socket of idle ?? []) socket.destroy();
  }
}

function isInUse(pool: http.Agent): boolean {
  return Object.keys(pool.sockets).length > 0;
}

function secureContextOf(certificates: TlsCredentials) {
  try {
    return createSecureContext(certificates);
  } catch (cause) {
    throw new KubeConfigError('The certificates for the API server cannot be read', { cause });
  }
}

/** What a request needs in addition to its own content. */
export interface Connection {
  /** Scheme, host and port of the API server. */
  origin: string;
  /** The API's base path, without a trailing slash; usually empty. */
  basePath: string;
  /** Authorization and impersonation. */
  headers: Record<string, string>;
  pool: http.Agent;
  /** Aborts when the connection is closed; requests in flight then fail. */
  closed: AbortSignal;
}

/**
 * How long loaded credentials are used, in milliseconds. A service account's token is renewed when a fifth of
 * its lifetime is left (an hour's token: 12 minutes); client-go reads it every minute.
 */
const CREDENTIALS_AGE_MS = 30_000;

export interface KubeConnectionOptions {
  access: KubeAccess;
  clock: Clock;
}

/** One API server, as a connection pool with current credentials. */
export class KubeConnection {
  private readonly origin: string;
  private readonly basePath: string;
  private tls: TlsCredentials | undefined;
  private pool: http.Agent | undefined;
  /** Pools of earlier credentials that still have requests in flight. */
  private retired: http.Agent[] = [];
  private headers: Record<string, string> = {};
  private readAt = Number.NEGATIVE_INFINITY;
  private reading: Promise<void> | undefined;
  private readonly closing = new AbortController();

  private constructor(private readonly options: KubeConnectionOptions) {
    const { origin, pathname } = serverUrl(options.access);
    this.origin = origin;
    this.basePath = pathname.replace(/\/$/, '');
  }

  /** @throws KubeConfigError for an invalid server URL. */
  static create(options: KubeConnectionOptions): KubeConnection {
    return new KubeConnection(options);
  }

  /**
   * The connection, with credentials read within the last 30 seconds.
   * @throws KubeConfigError, also once it is closed; errors of reading the credentials.
   */
  async current(): Promise<Connection> {
    if (this.options.clock.now() - this.readAt >= CREDENTIALS_AGE_MS) {
      this.reading ??= this.readCredentials().finally(() => {
        this.reading = undefined;
      });
      await this.reading;
    }
    const { origin, basePath, headers, pool } = this;
    const { signal: closed } = this.closing;
    if (closed.aborted || pool === undefined) throw new KubeConfigError('The connection is closed');
    return { origin, basePath, headers, pool, closed };
  }

  /** The server refused the credentials: the next request reads them again. */
  credentialsRefused(): void {
    this.readAt = Number.NEGATIVE_INFINITY;
  }

  /** Closes all connections, including busy ones. */
  close(): void {
    this.closing.abort();
    this.pool?.destroy();
    for (const pool of this.retired) pool.destroy();
  }

  private async readCredentials(): Promise<void> {
    const { access, clock } = this.options;
    const { headers, tls } = await access.credentials();
    if (this.closing.signal.aborted) return;
    if (this.pool === undefined || !isDeepStrictEqual(tls, this.tls)) {
      this.replacePool(createPool(access.server, tls));
      this.tls = tls;
    }
    this.headers = headers;
    this.readAt = clock.now();
  }

  /** Requests and watches in flight finish on their current connections. */
  private replacePool(pool: http.Agent): void {
    if (this.pool !== undefined) {
      retirePool(this.pool);
      this.retired = [...this.retired, this.pool].filter(isInUse);
    }
    this.pool = pool;
  }
}

function serverUrl({ server }: KubeAccess): URL {
  const url = URL.parse(server.url);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new KubeConfigError(`Invalid API server URL: ${server.url}`);
  }
  return url;
}
