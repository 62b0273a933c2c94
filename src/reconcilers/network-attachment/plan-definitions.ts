import { isDeepStrictEqual } from 'node:util';
import { LABELS, MANAGER_NAME } from '../../api/names.js';
import type { NetworkAttachmentDefinition } from '../../api/network-attachment-definition.js';
import { NodeENI, type NodeENISpec } from '../../api/node-eni.js';
import { ownerReferenceTo } from '../../runtime/kube/finalizers.js';

/** What is written of a NetworkAttachmentDefinition. */
export interface DesiredDefinition {
  name: string;
  namespace: string;
  body: {
    metadata: Required<Pick<NetworkAttachmentDefinition['metadata'], 'labels' | 'ownerReferences'>>;
    spec: { config: string };
  };
}

export interface DefinitionsPlan {
  /** Namespaces that lack it, as far as is known. */
  create: DesiredDefinition[];
  /** Ours, that say something else than they should. */
  update: { definition: NetworkAttachmentDefinition; desired: DesiredDefinition }[];
  /** Ours, in namespaces that should not have it. */
  delete: NetworkAttachmentDefinition[];
}

/** CNI specification 0.3.1: the one that Multus and all three plugins have spoken the longest. */
const CNI_VERSION = '0.3.1';

/**
 * The selector of what may be a NodeENI's own NetworkAttachmentDefinition, in all namespaces. Labels prove
 * nothing: who copies a definition copies them too.
 */
export function definitionSelector(nodeENI: NodeENI): string {
  return Object.entries(labelsOf(nodeENI))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

/** @param existing those that {@link definitionSelector} selects; what is not ours of them stays as it is */
export function planDefinitions(
  nodeENI: NodeENI,
  existing: readonly NetworkAttachmentDefinition[],
): DefinitionsPlan {
  const { metadata, spec } = nodeENI;
  const isWanted = metadata.deletionTimestamp === undefined;
  const namespaces = (isWanted ? spec.networkAttachment?.namespaces : undefined) ?? [];
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

/** The CNI configuration of the plugin, as JSON. The interface is the node's first of this NodeENI. */
export function cniConfig(name: string, spec: NodeENISpec): string {
  const { networkAttachment, interfaceName, mtu } = spec;
  const { type, ipam } = networkAttachment ?? {};
  const isUponTheInterface = type !== 'host-device';
  return JSON.stringify({
    cniVersion: CNI_VERSION,
    name,
    type,
    ...(isUponTheInterface ? { master: interfaceName, mtu } : { device: interfaceName }),
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
      spec: { config: cniConfig(name, nodeENI.spec) },
    },
  };
}

function labelsOf({ metadata }: NodeENI): Record<string, string> {
  return { [LABELS.managedBy]: MANAGER_NAME, [LABELS.nodeENI]: metadata.name };
}

/** Made for a NodeENI of that name. An earlier one's counts too: its successor takes it over. */
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

/** What others added to it is theirs. */
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
