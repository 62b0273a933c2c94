import type { ConnectionOptions } from 'node:tls';

/** What tells where the API server is, or who asks it, is missing, unreadable or asks for the impossible. */
export class KubeConfigError extends Error {
  override name = 'KubeConfigError';
}

export interface ApiServer {
  /** `https:` or `http:`; its path is where the API stands, mostly none. */
  url: string;
  /** An HTTP proxy, by its URL. */
  proxyUrl?: string | undefined;
}

export type TlsCredentials = Pick<
  ConnectionOptions,
  'ca' | 'cert' | 'key' | 'pfx' | 'passphrase' | 'rejectUnauthorized' | 'servername'
>;

export interface KubeCredentials {
  /** Authorization and impersonation, by names in lower case. */
  headers: Record<string, string>;
  /** Whom to trust, and the client's certificate; without a meaning for `http:`. */
  tls: TlsCredentials;
}

/** The way to an API server. It is an interface so that a pod needs no library that reads kubeconfigs. */
export interface KubeAccess {
  readonly server: ApiServer;
  /**
   * Reads them anew, as they are rotated.
   * @throws KubeConfigError, and what reading them throws (a missing file, a failing plugin).
   */
  credentials(): Promise<KubeCredentials>;
}
