import type { Condition } from '../runtime/kube/conditions.js';
import { NODE_CONDITIONS } from './conditions.js';
import { RESERVED_INTERFACES_ANNOTATION } from './names.js';

/**
 * A Node, reduced to what the operator needs for placing ENIs and for node readiness: the store keeps only
 * that.
 */
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
    annotations?: Record<string, string>;
  };
  spec?: {
    providerID?: string;
    /** All of them, in their order: a taint is removed by its index. */
    taints?: Taint[];
  };
  status?: {
    /** Only the operator's own. */
    conditions?: Condition[];
  };
}

/** The part of a Node that the store keeps: a full Node has 20 KB, this has 1. */
export function trimNode(node: Node): Node {
  const { name, uid, resourceVersion, deletionTimestamp, labels, annotations } = node.metadata;
  const reserved = annotations?.[RESERVED_INTERFACES_ANNOTATION];
  return {
    metadata: {
      name,
      uid,
      resourceVersion,
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
      ...(labels === undefined ? {} : { labels }),
      ...(reserved === undefined
        ? {}
        : { annotations: { [RESERVED_INTERFACES_ANNOTATION]: reserved } }),
    },
    ...trimSpec(node.spec),
    ...trimStatus(node.status),
  };
}

function trimSpec({ providerID, taints = [] }: NonNullable<Node['spec']> = {}): Pick<Node, 'spec'> {
  if (providerID === undefined && taints.length === 0) {
    return {};
  }
  return {
    spec: {
      ...(providerID === undefined ? {} : { providerID }),
      ...(taints.length === 0
        ? {}
        : { taints: taints.map(({ key, effect }) => ({ key, effect })) }),
    },
  };
}

function trimStatus({ conditions = [] }: NonNullable<Node['status']> = {}): Pick<Node, 'status'> {
  const own = conditions.filter(({ type }) => type === NODE_CONDITIONS.enisReady);
  return own.length === 0 ? {} : { status: { conditions: own } };
}

/** A taint of a Node; its value does not matter here. */
export interface Taint {
  key: string;
  effect: string;
}

/**
 * `key:Effect`, as kubelet's `--register-with-taints` and `spec.startupTaint` write a taint without a value.
 */
export function taintName({ key, effect }: Taint): string {
  return `${key}:${effect}`;
}
