/** A Node, cut down to what placing ENIs needs: it is what the store keeps of it. */
export class Node {
  static readonly resource = {
    group: '',
    version: 'v1',
    plural: 'nodes',
    kind: 'Node',
    namespaced: false,
  };

  metadata!: {
    name: string;
    uid: string;
    resourceVersion: string;
    deletionTimestamp?: string;
    labels?: Record<string, string>;
  };
  spec?: { providerID?: string };
}

/** What the store keeps of a Node as the API server sends it: a full Node has 20 KB, this has 1. */
export function trimNode(node: Node): Node {
  const { name, uid, resourceVersion, deletionTimestamp, labels } = node.metadata;
  return {
    metadata: {
      name,
      uid,
      resourceVersion,
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
      ...(labels === undefined ? {} : { labels }),
    },
    ...(node.spec?.providerID === undefined ? {} : { spec: { providerID: node.spec.providerID } }),
  };
}
