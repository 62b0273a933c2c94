import type { ObjectMeta } from '../runtime/kube/resource.js';

/** Multus' kind: how pods in a namespace connect to a network. Its CRD comes with Multus. */
export class NetworkAttachmentDefinition {
  static readonly resource = {
    group: 'k8s.cni.cncf.io',
    version: 'v1',
    plural: 'network-attachment-definitions',
    kind: 'NetworkAttachmentDefinition',
    namespaced: true,
  };

  metadata!: ObjectMeta & { namespace: string };
  /** `config`: a CNI network configuration, as JSON. */
  spec?: { config?: string };
}
