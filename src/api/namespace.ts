/** The core kind Namespace, of which this operator reads labels and the UID of `kube-system`. */
export const Namespace = {
  resource: {
    group: '',
    version: 'v1',
    plural: 'namespaces',
    kind: 'Namespace',
    namespaced: false,
  },
};
