/**
 * What @dot-i/k8s-operator asks of @kubernetes/client-node when one of our operators is made: a kubeconfig
 * and a client of it. Neither is used (src/operators/operator.ts), and the real ones take 35 MiB of memory;
 * the way to the API server is found by src/runtime/kube/access/load-kube-access.ts.
 */
export class KubeConfig {
  loadFromDefault(): void {}

  makeApiClient(): undefined {
    return undefined;
  }
}
