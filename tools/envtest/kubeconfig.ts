import { writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import type { KeyPair } from './pki.js';

type Credentials = KeyPair | { token: string };

export interface KubeconfigOptions {
  /** The API server's address, https://HOST:PORT. */
  server: string;
  /** The certificate authority's certificate, PEM. */
  ca: string;
  user: string;
  credentials: Credentials;
}

/** A kubeconfig that needs no other file. */
export function kubeconfig({ server, ca, user, credentials }: KubeconfigOptions): string {
  const cluster = 'envtest';
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: cluster, cluster: { server, 'certificate-authority-data': base64(ca) } }],
    users: [{ name: user, user: userEntry(credentials) }],
    contexts: [{ name: cluster, context: { cluster, user } }],
    'current-context': cluster,
  });
}

/** Writes a file that only its owner can read, as kubectl and helm ask for. */
export async function writePrivate(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
}

function userEntry(credentials: Credentials): Record<string, string> {
  if ('token' in credentials) return { token: credentials.token };
  return {
    'client-certificate-data': base64(credentials.cert),
    'client-key-data': base64(credentials.key),
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
