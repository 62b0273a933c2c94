import type { ClientIdentity } from './pki.js';

/** Whom a kubeconfig speaks for: a user with groups, or the holder of a bearer token. */
export type KubeconfigUser = ClientIdentity | { token: string };

/** What a control plane needs of the cluster beneath it, whether started here or found. */
export interface Cluster {
  readonly server: string;
  readonly kubeconfigPath: string;
  readonly auditLogPath?: string;
  kubeconfigFor(user: KubeconfigUser): Promise<string>;
  startApiServer(): Promise<void>;
  stopApiServer(): Promise<void>;
  compact(): Promise<void>;
  backUp(): Promise<string>;
  restore(backup: string): Promise<void>;
  stop(): Promise<void>;
}
