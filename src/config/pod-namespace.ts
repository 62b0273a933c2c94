import { readFileSync } from 'node:fs';

/** Where kubelet mounts a pod's namespace, next to the service account's token. */
const NAMESPACE_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';

export interface PodNamespaceOptions {
  env: Readonly<Record<string, string | undefined>>;
  /** Default: kubelet's. */
  file?: string;
}

/** The namespace that this process runs in: `POD_NAMESPACE`, else the service account's, else `default`. */
export function podNamespace({ env, file = NAMESPACE_FILE }: PodNamespaceOptions): string {
  return env.POD_NAMESPACE || contentOf(file) || 'default';
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    // Outside a pod there is no such file.
    return '';
  }
}
