/**
 * What @dot-i/k8s-operator asks of @kubernetes/client-node, for the bundle. The package takes the library
 * whole, which is a class for every kind of Kubernetes and 40 MiB of memory; of it our base class uses the
 * kubeconfig alone (docs/adr/0001). The typed clients are stood in for by classes that do nothing.
 */
export { KubeConfig } from '@kubernetes/client-node';

export class CoreV1Api {}

export class ApiextensionsV1Api {}

export class Watch {
  constructor() {
    throw new Error('Watching is the runtime’s: see src/runtime/informer.ts');
  }
}

export function loadYaml(): never {
  throw new Error('CRDs are applied by kubectl, not by the operator');
}
