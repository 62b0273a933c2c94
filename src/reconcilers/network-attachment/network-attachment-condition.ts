import { NETWORK_ATTACHMENT_REMEDIES, type NetworkAttachmentReason } from '../../api/reasons.js';
import type { Explanation } from '../../runtime/kube/conditions.js';
import { firstFew } from '../../runtime/message-text.js';

/** A condition's content, without its type. */
export interface Stated extends Explanation {
  status: 'True' | 'False';
}

/** Why one namespace has no NetworkAttachmentDefinition. */
export interface DefinitionFault {
  namespace: string;
  reason: NetworkAttachmentReason;
  /** The API server's error, or that it did not respond; without a full stop. Only with `Refused`. */
  detail?: string | undefined;
}

/** How many namespaces a message names; it only counts the others. */
const MAX_NAMED = 3;

const FACTS: Record<NetworkAttachmentReason, (namespaces: string) => string> = {
  CRDMissing: () => 'The API server has no kind k8s.cni.cncf.io/v1 NetworkAttachmentDefinition.',
  ComponentMissing: () =>
    'The controller does not have permission to write NetworkAttachmentDefinitions.',
  NamespaceNotAllowed: (namespaces) =>
    `These namespaces do not allow NetworkAttachmentDefinitions of this operator: ${namespaces}.`,
  NamespaceMissing: (namespaces) => `There is no namespace ${namespaces}.`,
  Conflict: (namespaces) =>
    `Another NetworkAttachmentDefinition already has this name in ${namespaces}.`,
  Refused: (namespaces) => `The API server did not write or delete it in ${namespaces}.`,
};

export function crdMissing(): Stated {
  return { status: 'False', reason: 'CRDMissing', message: sentence('CRDMissing', []) };
}

/** The controller lacks the permission for these objects: its role comes with a component. */
export function componentMissing(): Stated {
  const message = sentence('ComponentMissing', []);
  return { status: 'False', reason: 'ComponentMissing', message };
}

/** The API server rejects the listing, or fails. `detail` has no full stop. */
export function listingRefused(detail: string): Stated {
  const message = `The API server did not list NetworkAttachmentDefinitions. ${detail}. ${NETWORK_ATTACHMENT_REMEDIES.Refused}`;
  return { status: 'False', reason: 'Refused', message };
}

/** The API server refuses a write of the NodeENI itself; the message ends with a remedy. */
export function writeRefused(message: string): Stated {
  return { status: 'False', reason: 'Refused', message };
}

/**
 * One condition for all namespaces: the most frequent fault is its reason.
 * @param namespaces the namespaces that should have the definition
 * @param faults of these, and of namespaces that should no longer have it
 */
export function attachmentCondition(
  name: string,
  namespaces: readonly string[],
  faults: readonly DefinitionFault[],
): Stated {
  const faulty = new Set(faults.map(({ namespace }) => namespace));
  const served = namespaces.filter((namespace) => !faulty.has(namespace));
  const byReason = [...Map.groupBy(faults, ({ reason }) => reason)].sort(
    ([a, some], [b, others]) => others.length - some.length || (a < b ? -1 : 1),
  );
  const [top] = byReason;
  if (!top) {
    return {
      status: 'True',
      reason: 'Applied',
      message: `NetworkAttachmentDefinition ${name} is in ${listed(namespaces)}.`,
    };
  }
  const counts = `${served.length} of ${namespaces.length} namespaces have the NetworkAttachmentDefinition ${name}.`;
  const sentences = byReason.map(([reason, those]) => sentence(reason, those));
  return {
    status: 'False',
    reason: top[0],
    message: [...(namespaces.length > 0 ? [counts] : []), ...sentences].join(' '),
  };
}

function sentence(reason: NetworkAttachmentReason, faults: readonly DefinitionFault[]): string {
  const fact = FACTS[reason](listed(faults.map(({ namespace }) => namespace)));
  const [detail] = faults.flatMap((fault) => fault.detail ?? []);
  const answer = detail === undefined ? '' : ` ${detail}.`;
  return `${fact}${answer} ${NETWORK_ATTACHMENT_REMEDIES[reason]}`;
}

function listed(names: readonly string[]): string {
  return firstFew([...names].sort(), MAX_NAMED);
}
