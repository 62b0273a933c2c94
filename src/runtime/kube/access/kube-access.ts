import type { ConnectionOptions } from 'node:tls';

/** The location of the API server or the credentials are missing, unreadable or not supported. */
export class KubeConfigError extends Error {
  override name = 'KubeConfigError';
}

export interface ApiServer {
  /** `https:` or `http:`; its path is the API's base path, usually none. */
  url: string;
  /** URL of an HTTP proxy. */
  proxyUrl?: string | undefined;
}

export type TlsCredentials = Pick<
  ConnectionOptions,
  'ca' | 'cert' | 'key' | 'pfx' | 'passphrase' | 'rejectUnauthorized' | 'servername'
>;

export interface KubeCredentials {
  /** Authorization and impersonation, by lower-case names. */
  headers: Record<string, string>;
  /** Trusted CAs and the client certificate; ignored for `http:`. */
  tls: TlsCredentials;
}

/** Access to an API server. It is an interface so that a pod does not load a library for kubeconfigs. */
export interface KubeAccess {
  readonly server: ApiServer;
  /**
   * Reads the credentials again, because they rotate.
   * @throws KubeConfigError, and errors of reading them (a missing file, a failing plugin).
   */
  credentials(): Promise<KubeCredentials>;
}
