import { isDeepStrictEqual } from 'node:util';
import { LABELS, MANAGER_NAME } from '../../api/names.js';
import type { NetworkAttachmentDefinition } from '../../api/network-attachment-definition.js';
import { NodeENI, type NodeENISpec } from '../../api/node-eni.js';
import { ownerReferenceTo } from '../../runtime/kube/finalizers.js';
import { nodeENILabel } from '../shared/desired-attachment.js';

/** The part of a NetworkAttachmentDefinition that this operator writes. */
export interface DesiredDefinition {
  name: string;
  namespace: string;
  body: {
    metadata: Required<Pick<NetworkAttachmentDefinition['metadata'], 'labels' | 'ownerReferences'>>;
    /** Without a configuration, Multus reads the one of this name on the pod's node. */
    spec: { config?: string };
  };
}

export interface DefinitionsPlan {
  /** For namespaces that lack the definition. */
  create: DesiredDefinition[];
  /** Own definitions that differ from the desired ones. */
  update: { definition: NetworkAttachmentDefinition; desired: DesiredDefinition }[];
  /** Own definitions in namespaces that should not have one. */
  delete: NetworkAttachmentDefinition[];
}

/** CNI specification 0.3.1: the version that Multus and all three plugins have supported the longest. */
const CNI_VERSION = '0.3.1';

/**
 * The label selector for a NodeENI's own NetworkAttachmentDefinitions, in all namespaces. The labels alone do
 * not prove ownership: a copy of a definition has them too.
 */
export function definitionSelector(nodeENI: NodeENI): string {
  return Object.entries(labelsOf(nodeENI))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

/** @param existing what {@link definitionSelector} selects; definitions that are not the NodeENI's own stay */
export function planDefinitions(
  nodeENI: NodeENI,
  existing: readonly NetworkAttachmentDefinition[],
): DefinitionsPlan {
  const { metadata, spec } = nodeENI;
  const isDeleted = metadata.deletionTimestamp !== undefined;
  const namespaces = (isDeleted ? undefined : spec.networkAttachment?.namespaces) ?? [];
  const own = existing.filter((definition) => isOwn(definition, nodeENI));
  const known = new Map(own.map((definition) => [definition.metadata.namespace, definition]));
  const plan: DefinitionsPlan = { create: [], update: [], delete: [] };
  for (const namespace of namespaces) {
    const desired = desiredDefinition(nodeENI, namespace);
    const definition = known.get(namespace);
    if (!definition) {
      plan.create.push(desired);
    } else if (!isAsDesired(definition, desired)) {
      plan.update.push({ definition, desired });
    }
  }
  const kept = new Set(namespaces.map((namespace) => known.get(namespace)));
  plan.delete.push(...own.filter((definition) => !kept.has(definition)));
  return plan;
}

/** The plugin's CNI configuration as JSON. It uses the node's first interface of this NodeENI. */
export function cniConfig(name: string, spec: NodeENISpec): string {
  const { networkAttachment, interfaceName, mtu } = spec;
  const { type, ipam } = networkAttachment ?? {};
  const usesMaster = type !== 'host-device';
  return JSON.stringify({
    cniVersion: CNI_VERSION,
    name,
    type,
    ...(usesMaster ? { master: interfaceName, mtu } : { device: interfaceName }),
    ipam,
  });
}

function desiredDefinition(nodeENI: NodeENI, namespace: string): DesiredDefinition {
  const { name } = nodeENI.metadata;
  return {
    name,
    namespace,
    body: {
      metadata: {
        labels: labelsOf(nodeENI),
        ownerReferences: [ownerReferenceTo(nodeENI, NodeENI.resource)],
      },
      spec:
        nodeENI.spec.networkAttachment?.addresses === 'pool'
          ? {}
          : { config: cniConfig(name, nodeENI.spec) },
    },
  };
}

function labelsOf({ metadata }: NodeENI): Record<string, string> {
  return { [LABELS.managedBy]: MANAGER_NAME, [LABELS.nodeENI]: nodeENILabel(metadata) };
}

/** Whether a NodeENI of this name owns it. A definition of an earlier NodeENI counts: the new one adopts it. */
function isOwn(
  { metadata: { name, ownerReferences = [] } }: NetworkAttachmentDefinition,
  { metadata }: NodeENI,
): boolean {
  const { group, kind } = NodeENI.resource;
  return (
    name === metadata.name &&
    ownerReferences.some(
      (owner) =>
        owner.kind === kind &&
        owner.name === metadata.name &&
        owner.apiVersion.startsWith(`${group}/`),
    )
  );
}

/** Compares only the part that this operator writes. */
function isAsDesired(
  { metadata, spec }: NetworkAttachmentDefinition,
  { body }: DesiredDefinition,
): boolean {
  return (
    spec?.config === body.spec.config &&
    body.metadata.ownerReferences.every((reference) =>
      metadata.ownerReferences?.some((other) => isDeepStrictEqual(reference, other)),
    )
  );
}
