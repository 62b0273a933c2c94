import { NETWORK_ATTACHMENT_REMEDIES, type NetworkAttachmentReason } from '../../api/reasons.js';

/** A condition's content, without its type. */
export interface Stated {
  status: 'True' | 'False';
  reason: string;
  message: string;
}

/** Why one namespace has no NetworkAttachmentDefinition. */
export interface DefinitionFault {
  namespace: string;
  reason: NetworkAttachmentReason;
  /** What the API server said, or that it did not answer; without a full stop. Of refusals only. */
  detail?: string | undefined;
}

/** Namespaces that a message names before it only counts. */
const MAX_NAMED = 3;

const SAYINGS: Record<NetworkAttachmentReason, (namespaces: string) => string> = {
  CRDMissing: () => 'The API server has no kind k8s.cni.cncf.io/v1 NetworkAttachmentDefinition.',
  NamespaceMissing: (namespaces) => `There is no namespace ${namespaces}.`,
  Conflict: (namespaces) =>
    `Somebody else's NetworkAttachmentDefinition has the name in ${namespaces}.`,
  Refused: (namespaces) => `The API server does not write or delete it in ${namespaces}.`,
};

export function crdMissing(): Stated {
  return { status: 'False', reason: 'CRDMissing', message: sentence('CRDMissing', []) };
}

/** The API server does not let us look at what there is, or fails to. `detail` has no full stop. */
export function lookRefused(detail: string): Stated {
  const message = `The API server does not list NetworkAttachmentDefinitions. ${detail}. ${NETWORK_ATTACHMENT_REMEDIES.Refused}`;
  return { status: 'False', reason: 'Refused', message };
}

/**
 * One condition for all namespaces: the most frequent fault is its reason.
 * @param namespaces those that should have the definition
 * @param faults of these, and of those that should have it no longer
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
  const saying = SAYINGS[reason](listed(faults.map(({ namespace }) => namespace)));
  const [detail] = faults.flatMap((fault) => fault.detail ?? []);
  const said = detail === undefined ? '' : ` ${detail}.`;
  return `${saying}${said} ${NETWORK_ATTACHMENT_REMEDIES[reason]}`;
}

function listed(names: readonly string[]): string {
  const sorted = [...names].sort();
  const more = sorted.length > MAX_NAMED ? ` and ${sorted.length - MAX_NAMED} more` : '';
  return `${sorted.slice(0, MAX_NAMED).join(', ')}${more}`;
}
