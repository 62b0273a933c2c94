import { delimiter, join } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import { type KubeAccess, KubeConfigError } from '../../runtime/kube/access/kube-access.js';
import { KubeConfigAccess, mergedKubeConfig } from '../../runtime/kube/access/kubeconfig-access.js';
import { ServiceAccountAccess } from '../../runtime/kube/access/service-account-access.js';

/** kubectl's flags for access to the cluster. */
export interface KubeFlags {
  kubeconfig?: string;
  context?: string;
  cluster?: string;
  user?: string;
  as?: string;
}

/**
 * Finds the API server as kubectl does: `--kubeconfig`, `KUBECONFIG`, `~/.kube/config`; in a pod without any
 * of them, its service account.
 * @throws KubeConfigError naming what is missing; errors of reading a kubeconfig
 */
export function kubeAccess(
  flags: KubeFlags,
  env: Readonly<Record<string, string | undefined>>,
): KubeAccess {
  const { HOME = '', KUBECONFIG = '' } = env;
  const [first, ...others] =
    flags.kubeconfig === undefined
      ? KUBECONFIG.split(delimiter).filter((path) => path !== '')
      : [flags.kubeconfig];
  const inPod = first === undefined ? ServiceAccountAccess.find({ env }) : undefined;
  if (inPod) return inPod;
  const kubeConfig = read([first ?? join(HOME, '.kube', 'config'), ...others]);
  select(kubeConfig, flags);
  return KubeConfigAccess.create(kubeConfig);
}

function read(paths: [string, ...string[]]): KubeConfig {
  try {
    return mergedKubeConfig(...paths);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new KubeConfigError(
      `The kubeconfig cannot be read: ${detail}. Name another by --kubeconfig or KUBECONFIG`,
      { cause },
    );
  }
}

/** Makes the context of the flags the current one. */
function select(kubeConfig: KubeConfig, { context, cluster, user, as }: KubeFlags): void {
  const name = context ?? kubeConfig.getCurrentContext();
  const chosen = kubeConfig.getContextObject(name);
  if (context !== undefined && !chosen) throw missing('context', context, kubeConfig.getContexts());
  const merged = {
    name: 'kubectl-eni',
    cluster: cluster ?? chosen?.cluster ?? '',
    user: user ?? chosen?.user ?? '',
    ...(chosen?.namespace === undefined ? {} : { namespace: chosen.namespace }),
  };
  if (cluster !== undefined && !kubeConfig.getCluster(cluster)) {
    throw missing('cluster', cluster, kubeConfig.getClusters());
  }
  const found = kubeConfig.getUser(merged.user);
  if (user !== undefined && !found) throw missing('user', user, kubeConfig.getUsers());
  if (as !== undefined) {
    merged.user = 'kubectl-eni';
    const impersonating = { ...(found ?? {}), name: merged.user, impersonateUser: as };
    kubeConfig.users = [...kubeConfig.users, impersonating];
  }
  kubeConfig.contexts = [...kubeConfig.contexts, merged];
  kubeConfig.setCurrentContext(merged.name);
}

function missing(
  what: string,
  name: string,
  present: readonly { name: string }[],
): KubeConfigError {
  const known = present.map((each) => each.name).join(', ') || 'none';
  return new KubeConfigError(
    `The kubeconfig has no ${what} ${JSON.stringify(name)} (--${what}); it has: ${known}`,
  );
}
