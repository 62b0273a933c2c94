/** Where the two kinds are served. */
export const API = '/apis/networking.k8s.aws/v1alpha1';

const apiVersion = 'networking.k8s.aws/v1alpha1';
const network = {
  subnetID: 'subnet-0aaaaaaaaaaaaaaaa',
  securityGroupIDs: ['sg-0aaaaaaaaaaaaaaaa'],
};

/** A NodeENI that no node of a test is labelled for. */
export function nodeENI(name: string) {
  const spec = { nodeSelector: { 'selected-by': name }, ...network };
  return { apiVersion, kind: 'NodeENI', metadata: { name }, spec };
}

/** An ENIAttachment of the NodeENI "storage". */
export function attachment({ name, nodeName }: { name: string; nodeName: string }) {
  return {
    apiVersion,
    kind: 'ENIAttachment',
    metadata: { name },
    spec: {
      nodeENI: 'storage',
      nodeName,
      instanceID: 'i-0aaaaaaaaaaaaaaaa',
      ...network,
      deviceIndex: 1,
      networkCardIndex: 0,
      deleteOnTermination: true,
    },
  };
}

/** Multus' kind, as bare as the API server takes it. */
export const MULTUS_CRD = bareCrd({
  group: 'k8s.cni.cncf.io',
  kind: 'NetworkAttachmentDefinition',
  plural: 'network-attachment-definitions',
});

/** A CustomResourceDefinition of another program's kind, with any fields. */
export function bareCrd({ group, kind, plural }: Record<'group' | 'kind' | 'plural', string>) {
  const openAPIV3Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }],
    },
  };
}
