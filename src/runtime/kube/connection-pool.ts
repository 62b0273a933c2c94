import http from 'node:http';
import https from 'node:https';
import { createSecureContext } from 'node:tls';
import { type ApiServer, KubeConfigError, type TlsCredentials } from './access/kube-access.js';

/** Below the API server's own limit on idle connections (90 s) and that of load balancers, in milliseconds. */
const IDLE_MS = 30_000;

/** The first TCP probe of a connection that is quiet, in milliseconds (client-go's). */
const TCP_KEEP_ALIVE_MS = 30_000;

/**
 * A pool of as many connections as there are requests at once; those idle for 30 seconds are closed.
 * They speak HTTP/1.1: over HTTP/2 all watches and writes would share one connection, and cutting a silent
 * watch would cut what shares its fate.
 * @throws KubeConfigError for certificates that TLS cannot read.
 */
export function createPool({ url, proxyUrl }: ApiServer, tls: TlsCredentials): http.Agent {
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
    // Made once: otherwise each connection would read the certificates again.
    secureContext: secureContextOf(certificates),
  });
}

/** Ends idle connections at once, and each that is in use when its request ends. */
export function retirePool(pool: http.Agent): void {
  pool.maxFreeSockets = 0;
  for (const idle of Object.values(pool.freeSockets)) {
    for (const socket of idle ?? []) socket.destroy();
  }
}

export function isInUse(pool: http.Agent): boolean {
  return Object.keys(pool.sockets).length > 0;
}

function secureContextOf(certificates: TlsCredentials) {
  try {
    return createSecureContext(certificates);
  } catch (cause) {
    throw new KubeConfigError('The certificates for the API server cannot be read', { cause });
  }
}
