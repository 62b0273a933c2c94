import { delimiter, join } from 'node:path';
import { type KubeAccess, KubeConfigError } from './kube-access.js';
import { ServiceAccountAccess, type ServiceAccountOptions } from './service-account-access.js';

/**
 * Finds the API server in controller-runtime's order: `KUBECONFIG`, the pod's service account,
 * `~/.kube/config`. The library for kubeconfigs takes 35 MiB of memory and is loaded only if there is one.
 * @throws KubeConfigError; errors of reading a kubeconfig.
 */
export async function loadKubeAccess(options: ServiceAccountOptions): Promise<KubeAccess> {
  const { KUBECONFIG, HOME } = options.env;
  const [first, ...others] = (KUBECONFIG ?? '').split(delimiter).filter((path) => path !== '');
  if (first !== undefined) return fromKubeconfig(first, ...others);
  const inPod = ServiceAccountAccess.find(options);
  if (inPod !== undefined) return inPod;
  if (!HOME) throw new KubeConfigError('Neither KUBECONFIG, a pod nor HOME names an API server');
  return fromKubeconfig(join(HOME, '.kube', 'config'));
}

async function fromKubeconfig(...paths: [string, ...string[]]): Promise<KubeAccess> {
  const { KubeConfigAccess } = await import('./kubeconfig-access.js');
  return KubeConfigAccess.fromFiles(...paths);
}
