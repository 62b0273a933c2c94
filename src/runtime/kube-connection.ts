import type https from 'node:https';
import { isDeepStrictEqual } from 'node:util';
import type { Cluster, KubeConfig } from '@kubernetes/client-node';
import { Agent, type buildConnector, type Dispatcher, ProxyAgent } from 'undici';
import type { Clock } from './clock.js';

/** The kubeconfig asks for something that this client cannot do. */
export class KubeConfigError extends Error {
  override name = 'KubeConfigError';
}

/** What a request needs beside its own content. */
export interface Connection {
  /** Scheme, host and port of the API server. */
  origin: string;
  /** Path under which the API stands, without a slash at its end; mostly empty. */
  basePath: string;
  /** Authorization and impersonation. */
  headers: Record<string, string>;
  dispatcher: Dispatcher;
}

/**
 * How long a reading of the credentials is used, in milliseconds. A service account's token is renewed when
 * a fifth of its life is left (an hour's token: 12 minutes), client-go re-reads it every minute.
 */
const CREDENTIALS_AGE_MS = 30_000;

/** Below the API server's own limit on idle connections (90 s) and that of load balancers. */
const KEEP_ALIVE_MS = 30_000;

export interface KubeConnectionOptions {
  kubeConfig: KubeConfig;
  clock: Clock;
  /** Longest time that connecting may take, in milliseconds. Default: 10,000. */
  connectTimeoutMs?: number;
}

type TlsOptions = Pick<
  https.RequestOptions,
  'ca' | 'cert' | 'key' | 'pfx' | 'passphrase' | 'rejectUnauthorized' | 'servername'
>;

/**
 * The kubeconfig's cluster and user as a pool of connections and fresh headers. KubeConfig's own
 * applySecurityAuthentication() makes a new pool for each request, so that no connection would live for two.
 */
export class KubeConnection {
  private tls: TlsOptions | undefined;
  private dispatcher: Dispatcher | undefined;
  private headers: Record<string, string> = {};
  private readAt = Number.NEGATIVE_INFINITY;
  private reading: Promise<void> | undefined;

  private constructor(private readonly options: KubeConnectionOptions) {}

  static create(options: KubeConnectionOptions): KubeConnection {
    return new KubeConnection(options);
  }

  /**
   * The connection with credentials read within the last 30 seconds.
   * @throws KubeConfigError without a cluster, or with a proxy that is not supported; what reading the
   * credentials throws (a missing file, a failing plugin).
   */
  async current(): Promise<Connection> {
    const cluster = this.cluster();
    if (this.options.clock.now() - this.readAt >= CREDENTIALS_AGE_MS) {
      this.reading ??= this.readCredentials(cluster).finally(() => {
        this.reading = undefined;
      });
      await this.reading;
    }
    const server = new URL(cluster.server);
    if (this.dispatcher === undefined) throw new KubeConfigError('The connection is closed');
    return {
      origin: server.origin,
      basePath: server.pathname.replace(/\/$/, ''),
      headers: this.headers,
      dispatcher: this.dispatcher,
    };
  }

  /** The server refused the credentials: the next request reads them again. */
  credentialsRefused(): void {
    this.readAt = Number.NEGATIVE_INFINITY;
  }

  /** Ends all connections, those in use too. */
  async close(): Promise<void> {
    const dispatcher = this.dispatcher;
    this.dispatcher = undefined;
    await dispatcher?.destroy();
  }

  private cluster(): Cluster {
    const cluster = this.options.kubeConfig.getCurrentCluster();
    if (cluster === null) throw new KubeConfigError('The kubeconfig names no current cluster');
    return cluster;
  }

  private async readCredentials(cluster: Cluster): Promise<void> {
    const options: https.RequestOptions = { headers: {} };
    await this.options.kubeConfig.applyToHTTPSOptions(options);
    this.headers = headersOf(options);
    this.readAt = this.options.clock.now();

    const tls = tlsOf(options);
    if (this.dispatcher !== undefined && isDeepStrictEqual(tls, this.tls)) return;
    // Requests and watches under way end on the old connections; close() waits for them.
    void this.dispatcher?.close().catch(() => undefined);
    this.tls = tls;
    this.dispatcher = this.createDispatcher(cluster, tls);
  }

  private createDispatcher(cluster: Cluster, tls: TlsOptions): Dispatcher {
    const options = this.options.kubeConfig.createDispatcherOptions(cluster, tls);
    // Over HTTP/2 all watches and writes would share one connection, and cutting a silent watch would cut
    // what shares its fate; over HTTP/1.1 each stands alone.
    const pool = {
      allowH2: false,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectTimeout: this.options.connectTimeoutMs ?? 10_000,
    };
    // undici's types know no explicit undefined, Node's do; what they describe is the same.
    switch (options.type) {
      case 'none':
        return new Agent(pool);
      case 'agent':
        return new Agent({ ...pool, connect: options.connect as buildConnector.BuildOptions });
      case 'proxy':
        return new ProxyAgent({
          ...pool,
          uri: options.uri,
          requestTls: options.requestTls as buildConnector.BuildOptions,
        });
      case 'socks':
        throw new KubeConfigError(`SOCKS proxies are not supported: ${options.uri}`);
    }
  }
}

function headersOf(options: https.RequestOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  if (options.auth) headers.authorization = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    // Token files may end with a newline, which no header may hold.
    if (value !== undefined) headers[name.toLowerCase()] = String(value).trim();
  }
  return headers;
}

function tlsOf(options: https.RequestOptions): TlsOptions {
  const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername } = options;
  const all = { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
