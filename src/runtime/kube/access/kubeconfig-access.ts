import type https from 'node:https';
import { type Cluster, KubeConfig } from '@kubernetes/client-node';
import {
  type ApiServer,
  type KubeAccess,
  KubeConfigError,
  type KubeCredentials,
  type TlsCredentials,
} from './kube-access.js';

/** The API server as a kubeconfig's current context describes it. */
export class KubeConfigAccess implements KubeAccess {
  readonly server: ApiServer;

  private constructor(
    private readonly kubeConfig: KubeConfig,
    private readonly cluster: Cluster,
  ) {
    this.server = { url: cluster.server, proxyUrl: cluster.proxyUrl };
  }

  /** @throws KubeConfigError without a cluster, or with an unsupported proxy. */
  static create(kubeConfig: KubeConfig): KubeConfigAccess {
    const cluster = kubeConfig.getCurrentCluster();
    if (cluster === null) throw new KubeConfigError('The kubeconfig names no current cluster');
    if (cluster.proxyUrl?.startsWith('socks')) {
      throw new KubeConfigError(`SOCKS proxies are not supported: ${cluster.proxyUrl}`);
    }
    return new KubeConfigAccess(kubeConfig, cluster);
  }

  /** @throws KubeConfigError, and errors of reading a file. */
  static fromFiles(first: string, ...others: string[]): KubeConfigAccess {
    return KubeConfigAccess.create(mergedKubeConfig(first, ...others));
  }

  async credentials(): Promise<KubeCredentials> {
    const { server, skipTLSVerify } = this.cluster;
    // `kubectl proxy` needs no credentials, and a plain-text connection must not carry them (client-go's
    // rule).
    if (server.startsWith('http:') && !skipTLSVerify) return { headers: {}, tls: {} };
    const options: https.RequestOptions = { headers: {} };
    // This also creates an agent, once; that agent ignores rotation and keeps no connections.
    await this.kubeConfig.applyToHTTPSOptions(options);
    return { headers: headersOf(options), tls: tlsOf(options) };
  }
}

/**
 * Merges all the files; the first that names a current context decides (kubectl's rule).
 * @throws errors of reading a file
 */
export function mergedKubeConfig(first: string, ...others: string[]): KubeConfig {
  const kubeConfig = read(first);
  for (const path of others) {
    kubeConfig.mergeConfig(read(path), Boolean(kubeConfig.getCurrentContext()));
  }
  return kubeConfig;
}

function read(path: string): KubeConfig {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(path);
  return kubeConfig;
}

function headersOf(options: https.RequestOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  if (options.auth) headers.authorization = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    // Token files may end with a newline, which is invalid in a header.
    if (value !== undefined) headers[name.toLowerCase()] = String(value).trim();
  }
  return headers;
}

function tlsOf(options: https.RequestOptions): TlsCredentials {
  const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername } = options;
  const all = { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
